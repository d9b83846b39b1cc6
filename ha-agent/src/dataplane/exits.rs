//! `ha_exit` and `ha_watch`: to be told when a process ends.
//!
//! Neither is pinned: they serve the agent that watches, and end with it.

use anyhow::{Context, Result, anyhow};
use aya::{
    Btf, Ebpf,
    maps::{HashMap, MapData},
    programs::BtfTracePoint,
};
use ha_common::abi::{WATCH_LEASE, WATCH_REPORT, private, program};

/// The processes whose end the kernel reports.
pub struct Exits {
    watched: HashMap<MapData, u32, u32>,
}

super::opaque_debug!(Exits);

impl Exits {
    /// Attaches the program to the tracepoint of ending processes.
    ///
    /// # Errors
    /// If the kernel has no type information (`CONFIG_DEBUG_INFO_BTF`), or refuses.
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self> {
        let map = ebpf
            .take_map(private::WATCH)
            .ok_or_else(|| anyhow!("the BPF object has no map {}", private::WATCH))?;
        let btf = Btf::from_sys_fs().context("the kernel has no type information")?;
        let program: &mut BtfTracePoint = ebpf
            .program_mut(program::EXIT)
            .ok_or_else(|| anyhow!("the BPF object has no program {}", program::EXIT))?
            .try_into()?;
        program
            .load("sched_process_exit", &btf)
            .with_context(|| format!("the kernel does not take the program {}", program::EXIT))?;
        program
            .attach()
            .with_context(|| format!("cannot attach the program {}", program::EXIT))?;
        Ok(Self {
            watched: map.try_into()?,
        })
    }

    /// Wants to be told when `process` ends.
    ///
    /// # Errors
    /// The kernel's, as if there are too many.
    pub fn watch(&mut self, process: u32) -> Result<()> {
        self.put(process, WATCH_REPORT)
    }

    /// Has the kernel end the lease when `process` does: the agent, which nobody could tell.
    ///
    /// # Errors
    /// The kernel's.
    pub fn end_lease_with(&mut self, process: u32) -> Result<()> {
        self.put(process, WATCH_LEASE)
    }

    fn put(&mut self, process: u32, what: u32) -> Result<()> {
        let put = self.watched.insert(process, what, 0);
        put.with_context(|| format!("cannot watch the process {process}"))
    }

    /// Takes back [`Self::watch`].
    pub fn forget(&mut self, process: u32) {
        // One that is not there need not be removed.
        let _ = self.watched.remove(&process);
    }
}
