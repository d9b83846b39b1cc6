//! The programs of a running agent.

use anyhow::Result;
use aya::Ebpf;

use super::{
    Attach, Exits, PinDir, adopt,
    attach::{self, Attacher},
    egress,
    lines::Lines,
    load, opaque_debug,
};

/// The programs, loaded and attached; their pins and links keep them in the kernel too.
pub struct Programs {
    pub(super) lines: Lines,
    /// `None` if the kernel cannot tell.
    pub(super) exits: Option<Exits>,
    pub(super) ebpf: Ebpf,
}

opaque_debug!(Programs);

impl Programs {
    /// Loads the programs, takes over the maps that are pinned or makes them, and attaches the data path.
    ///
    /// # Errors
    /// If a pin is not what it should be, or the kernel refuses.
    pub(super) fn load(pins: &PinDir, attach: &[Attach]) -> Result<Self> {
        for interface in attach {
            attach::check(pins, interface)?;
        }
        let mut ebpf = load::load(pins)?;
        let mut attacher = Attacher::new(&mut ebpf, pins)?;
        for interface in attach {
            attacher.attach(interface)?;
        }
        for interface in attach {
            adopt::attach(&mut ebpf, pins, &interface.link)?;
            egress::attach(&mut ebpf, pins, &interface.link.name, interface.link.index)?;
        }
        Ok(Self {
            lines: Lines::open(&mut ebpf)?,
            exits: Exits::open(&mut ebpf)
                .inspect_err(|error| {
                    tracing::warn!("processes are watched without BPF: {error:#}");
                })
                .ok(),
            ebpf,
        })
    }

    /// Attaches the data path to one more interface; to none, if it fails.
    ///
    /// # Errors
    /// If another program is there, or the kernel refuses.
    pub(super) fn attach(&mut self, pins: &PinDir, interface: &Attach) -> Result<()> {
        attach::check(pins, interface)?;
        let attached = Attacher::new(&mut self.ebpf, pins)?
            .attach(interface)
            .and_then(|()| adopt::attach(&mut self.ebpf, pins, &interface.link))
            .and_then(|()| {
                let link = &interface.link;
                egress::attach(&mut self.ebpf, pins, &link.name, link.index)
            });
        attached.inspect_err(|_| {
            let index = interface.link.index;
            if pins.link(index).exists()
                && let Err(error) = attach::remove(pins, index)
            {
                tracing::error!("{error:#}");
            }
        })
    }
}
