//! The frame's memory. All access to it goes through here, so that no bound is checked elsewhere.

mod buffer;
#[cfg(not(target_arch = "bpf"))]
mod host;
#[cfg(target_arch = "bpf")]
mod kernel;

use core::mem::{align_of, size_of};

pub use buffer::SocketBuffer;
use ha_common::{
    lease::Request,
    wire::{arp, bfd, eth, icmp, ipv4, ipv6, nd, tcp, udp, vrrp},
};
#[cfg(not(target_arch = "bpf"))]
pub use host::Packet;
#[cfg(target_arch = "bpf")]
pub use kernel::Packet;

/// A header that packet memory can be seen as.
///
/// # Safety
///
/// The type has at most alignment 2, no padding, and every bit pattern is a value of it.
pub(crate) unsafe trait Wire: Copy {}

macro_rules! wire {
    ($($header:ty),+ $(,)?) => {$(
        // SAFETY: a repr(C) struct of octets, of an even number so that alignment 2 adds no padding
        // (their sizes are asserted where they are defined).
        unsafe impl Wire for $header {}
        const _: () = assert!(align_of::<$header>() <= 2 && size_of::<$header>() % 2 == 0);
    )+};
}

wire!(
    arp::Packet,
    bfd::Control,
    eth::Header,
    eth::Tag,
    icmp::Echo,
    ipv4::Header,
    ipv6::Header,
    nd::LinkOption,
    nd::Message,
    Request,
    tcp::Header,
    udp::Header,
    vrrp::Header,
);

// SAFETY: an array of integers of alignment 2, of which every bit pattern is one.
unsafe impl<const N: usize> Wire for [u16; N] {}

/// One header after another.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Then<A, B>(pub(crate) A, pub(crate) B);

// SAFETY: repr(C) of two types of the same alignment that have no padding and no invalid values.
unsafe impl<A: Wire, B: Wire> Wire for Then<A, B> {}

impl Packet {
    /// The header at the even `offset`, or `None` if the frame's first buffer ends before the header
    /// does.
    #[inline(always)]
    pub(crate) fn get<T: Wire>(&self, offset: usize) -> Option<&T> {
        let header = self.span(offset, size_of::<T>())?.cast::<T>();
        // SAFETY: the span lies within the frame, which lives and is only read as long as `self` is
        // borrowed. Frame and offset are even, and `Wire` promises that any octets there make a `T`.
        Some(unsafe { header.as_ref() })
    }

    /// As [`Self::get`], to write.
    #[inline(always)]
    pub(crate) fn get_mut<T: Wire>(&mut self, offset: usize) -> Option<&mut T> {
        let mut header = self.span_mut(offset, size_of::<T>())?.cast::<T>();
        // SAFETY: as in `get`; the borrow of `self` is exclusive, and so is this one of its memory.
        Some(unsafe { header.as_mut() })
    }
}
