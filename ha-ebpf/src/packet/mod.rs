//! The frame's memory. All access to it goes through here, so that no bound is checked elsewhere.

#[cfg(not(target_arch = "bpf"))]
mod host;
#[cfg(target_arch = "bpf")]
mod kernel;

use core::mem::{align_of, size_of};

use ha_common::{
    lease::Request,
    wire::{arp, eth, icmp, ipv4, ipv6, nd},
};
#[cfg(not(target_arch = "bpf"))]
pub use host::Packet;
#[cfg(target_arch = "bpf")]
pub use kernel::Packet;

/// A header that packet memory can be seen as.
///
/// # Safety
///
/// The type has alignment 1, no padding, and every bit pattern is a value of it.
pub(crate) unsafe trait Wire: Copy {}

macro_rules! wire {
    ($($header:ty),+ $(,)?) => {$(
        // SAFETY: a repr(C) struct of octets and arrays of octets; the alignment is asserted, and
        // with alignment 1 there is no padding.
        unsafe impl Wire for $header {}
        const _: () = assert!(align_of::<$header>() == 1);
    )+};
}

wire!(
    arp::Packet,
    eth::Header,
    eth::Tag,
    icmp::Echo,
    ipv4::Header,
    ipv6::Header,
    nd::LinkOption,
    nd::Message,
    Request,
    [u8; 4],
    [u8; 8],
);

/// One header after another.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Then<A, B>(pub(crate) A, pub(crate) B);

// SAFETY: repr(C) of two types that have no padding, alignment 1, and no invalid values.
unsafe impl<A: Wire, B: Wire> Wire for Then<A, B> {}

impl Packet {
    /// The header at `offset`, or `None` if the frame's first buffer ends before the header does.
    #[inline(always)]
    pub(crate) fn get<T: Wire>(&self, offset: usize) -> Option<&T> {
        let header = self.span(offset, size_of::<T>())?.cast::<T>();
        // SAFETY: the span lies within the frame, which lives and is only read as long as `self` is
        // borrowed; `Wire` promises that any octets at any address make a `T`.
        Some(unsafe { &*header })
    }

    /// As [`Self::get`], to write.
    #[inline(always)]
    pub(crate) fn get_mut<T: Wire>(&mut self, offset: usize) -> Option<&mut T> {
        let header = self.span_mut(offset, size_of::<T>())?.cast::<T>();
        // SAFETY: as in `get`; the borrow of `self` is exclusive, and so is this one of its memory.
        Some(unsafe { &mut *header })
    }
}
