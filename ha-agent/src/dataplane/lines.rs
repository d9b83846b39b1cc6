//! Log lines of the BPF half. It writes few, and none for a packet.

use anyhow::{Context, Result};
use aya::Ebpf;
use aya_log::EbpfLogger;

use super::opaque_debug;

/// The reading end of the ring that the programs log to.
pub(super) struct Lines(EbpfLogger<&'static dyn log::Log>);

opaque_debug!(Lines);

impl Lines {
    /// The log of the programs in `ebpf`, which must have been loaded.
    ///
    /// # Errors
    /// If the ring cannot be read.
    pub(super) fn open(ebpf: &mut Ebpf) -> Result<Self> {
        EbpfLogger::init(ebpf)
            .map(Self)
            .context("cannot read the log of the BPF programs")
    }

    /// Passes on what has been written since.
    pub(super) fn flush(&mut self) {
        self.0.flush();
    }
}
