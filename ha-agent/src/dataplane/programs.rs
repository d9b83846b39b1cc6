//! The programs of a running agent.

use std::slice;

use anyhow::Result;
use aya::Ebpf;

use super::{
    Attach, Exits, PinDir, adopt,
    attach::{self, Attacher},
    egress,
    lines::Lines,
    load, opaque_debug,
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
    pub(super) ebpf: Ebpf,
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

    /// Attaches the data path to one more interface; to none, if it fails.
    ///
    /// # Errors
    /// If another program is there, or the kernel refuses.
    pub(super) fn extend(&mut self, pins: &PinDir, interface: &Attach) -> Result<()> {
        attach::check(pins, interface)?;
        let attached = self.attach(pins, slice::from_ref(interface));
        attached.inspect_err(|_| {
            let index = interface.link.index;
            if pins.link(index).exists()
                && let Err(error) = attach::remove(pins, index)
            {
                tracing::error!("{error:#}");
            }
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
