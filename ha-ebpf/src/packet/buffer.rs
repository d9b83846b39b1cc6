//! A frame as traffic control has it: a socket buffer, which is only read.

#[cfg(not(target_arch = "bpf"))]
mod host;
#[cfg(target_arch = "bpf")]
mod kernel;

use core::mem::{MaybeUninit, size_of};

#[cfg(not(target_arch = "bpf"))]
pub use host::SocketBuffer;
#[cfg(target_arch = "bpf")]
pub use kernel::SocketBuffer;

use super::Wire;

impl SocketBuffer {
    /// The header at the even `offset`, or zeros if the frame ends before the header does: a value that
    /// means nothing in any of the headers.
    #[inline(always)]
    pub(crate) fn read<T: Wire>(&self, offset: usize) -> T {
        if let Some(span) = self.span(offset, size_of::<T>()) {
            // SAFETY: the span lies within the frame's first part, which lives as long as `self`. Frame and
            // offset are even, and `Wire` promises that any octets there make a `T`.
            return unsafe { span.cast::<T>().read() };
        }
        let mut header = MaybeUninit::<T>::zeroed();
        self.copy(offset, size_of::<T>(), header.as_mut_ptr().cast());
        // SAFETY: every bit pattern is a `T` (`Wire`), zeros and what was copied alike.
        unsafe { header.assume_init() }
    }
}
