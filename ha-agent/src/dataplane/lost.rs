//! `ha_lost`, `ha_refused` and `ha_lost_to`: frames that were redirected to guests and did not arrive.
//!
//! Nothing of it is pinned: what is lost while no agent runs is not counted.

use anyhow::{Context, Result, anyhow};
use aya::{
    Ebpf,
    maps::{MapData, MapError, PerCpuHashMap, PerCpuValues},
    programs::TracePoint,
    util::nr_cpus,
};
use ha_common::abi::{private, program};

/// How many frames each guest's interface did not take.
pub struct Losses {
    counts: PerCpuHashMap<MapData, u32, u64>,
}

super::opaque_debug!(Losses);

impl Losses {
    /// Attaches the programs to the tracepoints of redirected frames.
    ///
    /// # Errors
    /// If the tracing file system is not mounted, or the kernel refuses.
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self> {
        for (name, tracepoint) in [
            (program::LOST, "xdp_devmap_xmit"),
            (program::REFUSED, "xdp_redirect_err"),
        ] {
            let program: &mut TracePoint = ebpf
                .program_mut(name)
                .ok_or_else(|| anyhow!("the BPF object has no program {name}"))?
                .try_into()?;
            program
                .load()
                .with_context(|| format!("the kernel does not take the program {name}"))?;
            program.attach("xdp", tracepoint).with_context(|| {
                format!("cannot attach {name} to the tracepoint xdp:{tracepoint}")
            })?;
        }
        let map = ebpf
            .take_map(private::LOST)
            .ok_or_else(|| anyhow!("the BPF object has no map {}", private::LOST))?;
        Ok(Self {
            counts: map.try_into()?,
        })
    }

    /// Counts for this interface from now on; goes on where it has counted before.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&mut self, ifindex: u32) -> Result<()> {
        const NOT_IF_THERE: u64 = 1;
        let none = PerCpuValues::try_from(vec![0; nr_cpus().map_err(|(_, error)| error)?])?;
        match self.counts.insert(ifindex, none, NOT_IF_THERE) {
            Ok(()) => Ok(()),
            Err(MapError::SyscallError(error))
                if error.io_error.raw_os_error() == Some(libc::EEXIST) =>
            {
                Ok(())
            }
            Err(error) => Err(error).context("cannot count what guests lose"),
        }
    }

    /// How many frames this interface did not take; 0 if it is not watched.
    #[must_use]
    pub fn of(&self, ifindex: u32) -> u64 {
        let counts = self.counts.get(&ifindex, 0);
        counts.map_or(0, |counts| counts.iter().sum())
    }
}
