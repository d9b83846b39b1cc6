//! Frames that the kernel takes for received ones, at the highest rate there is: test runs with live frames
//! (`Documentation/bpf/bpf_prog_run.rst`).

use anyhow::Result;

use super::{kernel::Program, refill};

/// Puts frames into the kernel where a network card would.
pub struct Injector(Program);

impl Injector {
    /// Loads the program that passes them on.
    ///
    /// # Errors
    ///
    /// When the kernel refuses it.
    pub fn new() -> Result<Self> {
        Ok(Self(Program::load(&refill::nothing())?))
    }

    /// Has the interface with this index, of the calling thread's network namespace, receive the frame `count` times.
    /// When it returns the kernel has taken all of them.
    ///
    /// # Errors
    ///
    /// When the interface has no XDP program: only then is it set up for this.
    pub fn inject(&self, frame: &[u8], ifindex: u32, count: u32) -> Result<()> {
        self.0.inject(frame, ifindex, count)
    }
}
