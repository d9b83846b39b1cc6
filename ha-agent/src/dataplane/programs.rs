//! The programs of a running agent.

use anyhow::Result;
use aya::Ebpf;

use super::{
    Attach, Exits, PinDir, adopt, attach::Attacher, egress, lines::Lines, load, opaque_debug,
};
use crate::{
    fault::{self, Point},
    net::Link,
};

/// The programs, loaded and attached; their pins and links keep them in the kernel too.
pub struct Programs {
    pub(super) lines: Lines,
    /// `None` if the kernel cannot tell.
    pub(super) exits: Option<Exits>,
    ebpf: Ebpf,
}

opaque_debug!(Programs);

impl Programs {
    /// Loads the programs, over the maps that `ebpf` has.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(super) fn load(mut ebpf: Ebpf, pins: &PinDir, attach: &[Attach]) -> Result<Self> {
        load::programs(&mut ebpf, pins, attach)?;
        fault::reached(Point::Loaded);
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

    /// Attaches them, each in place of an older one of ours at once.
    ///
    /// # Errors
    /// If something else is there, or the kernel refuses.
    pub(super) fn attach(&mut self, pins: &PinDir, attach: &[Attach]) -> Result<()> {
        let mut attacher = Attacher::new(&mut self.ebpf, pins)?;
        for interface in attach {
            attacher.attach(interface)?;
        }
        fault::reached(Point::Attached);
        for interface in attach {
            adopt::attach(&mut self.ebpf, pins, &interface.link)?;
            let Link { name, index, .. } = &interface.link;
            egress::attach(&mut self.ebpf, pins, name, *index)?;
        }
        fault::reached(Point::Replaced);
        Ok(())
    }
}
