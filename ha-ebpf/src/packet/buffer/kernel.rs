//! The socket buffer of a running program.

use core::ptr::{NonNull, read_volatile};

use aya_ebpf::{
    bindings::{__sk_buff, TC_ACT_SHOT},
    cty::c_void,
    helpers::{bpf_redirect, bpf_skb_load_bytes, bpf_skb_store_bytes},
};
use ha_common::wire::eth::VLAN_ID_MASK;

use crate::local::Errand;

/// A frame, by the context of traffic control.
pub struct SocketBuffer {
    ctx: *mut __sk_buff,
}

impl SocketBuffer {
    /// The frame of a running program.
    #[inline(always)]
    #[must_use]
    pub const fn new(ctx: *mut __sk_buff) -> Self {
        Self { ctx }
    }

    /// Length of the whole frame in octets; of one that the NIC is to cut up, before that.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: `ctx` is the context that the kernel gave to the program.
        unsafe { (*self.ctx).len as usize }
    }

    /// The VLAN id of the tag that lies beside the frame, for the NIC to put in.
    #[inline(always)]
    pub(crate) fn vlan_id(&self) -> Option<u16> {
        // SAFETY: as in `len`.
        let (is_there, control) = unsafe { ((*self.ctx).vlan_present, (*self.ctx).vlan_tci) };
        (is_there != 0).then_some(control as u16 & VLAN_ID_MASK)
    }

    /// Sends the frame out of another interface. What the program is to return.
    #[inline(always)]
    #[must_use]
    pub fn send_out(&self, errand: &Errand) -> i32 {
        let macs = [errand.dst, errand.src];
        // SAFETY: `ctx` as in `len`; what is copied is `macs`. The other helper has no preconditions.
        unsafe {
            let from = (&raw const macs).cast();
            if bpf_skb_store_bytes(self.ctx.cast(), 0, from, size_of_val(&macs) as u32, 0) != 0 {
                return TC_ACT_SHOT;
            }
            bpf_redirect(errand.ifindex, 0) as i32
        }
    }

    /// Octets in the frame's first part. As for XDP, pointers are added to and compared, and nothing else.
    #[inline(always)]
    pub(super) fn span(&self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        // SAFETY: as in `len`.
        let (start, end) = unsafe {
            (
                (*self.ctx).data as *mut u8,
                read_volatile(&raw const (*self.ctx).data_end) as *mut u8,
            )
        };
        let span = start.wrapping_add(offset);
        if span.wrapping_add(len) > end {
            return None;
        }
        // SAFETY: packet memory does not lie at address 0.
        Some(unsafe { NonNull::new_unchecked(span) })
    }

    /// Copies octets from wherever they are. To pull them together would take memory, which can be short,
    /// and a frame that cannot be read would have to be let go.
    #[inline(always)]
    pub(super) fn copy(&self, offset: usize, len: usize, to: *mut u8) {
        // SAFETY: `ctx` as in `len`; the caller has `len` octets there. What is not in the frame is zeros
        // (`bpf_skb_load_bytes`, `net/core/filter.c`).
        unsafe {
            bpf_skb_load_bytes(
                self.ctx.cast::<c_void>().cast_const(),
                offset as u32,
                to.cast(),
                len as u32,
            );
        }
    }
}
