//! Packet memory in the kernel: from `data` to `data_end` of the XDP context.

use core::ptr::{NonNull, read_volatile};

use aya_ebpf::{
    bindings::xdp_md,
    cty::c_void,
    helpers::{bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len},
};

/// A frame, by its XDP context.
pub struct Packet {
    ctx: *mut xdp_md,
}

impl Packet {
    /// The frame of a running program.
    #[inline(always)]
    #[must_use]
    pub const fn new(ctx: *mut xdp_md) -> Self {
        Self { ctx }
    }

    /// What helpers take that are not about the frame's memory.
    #[inline(always)]
    pub(crate) fn context(&self) -> *mut c_void {
        self.ctx.cast()
    }

    /// Length of the whole frame in octets, all its buffers together.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: `ctx` is the context that the kernel gave to the program.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as usize }
    }

    /// Index of the interface that received the frame.
    #[inline(always)]
    pub(crate) fn ifindex(&self) -> u32 {
        // SAFETY: as in `len`.
        unsafe { (*self.ctx).ingress_ifindex }
    }

    /// Cuts or grows the frame at its end. Returns whether the kernel agreed.
    #[inline(always)]
    pub(crate) fn resize(&mut self, len: usize) -> bool {
        let delta = len as i32 - self.len() as i32;
        // SAFETY: as in `len`. Every pointer into the frame is void afterwards, and `&mut self` makes
        // sure that none is left.
        delta == 0 || unsafe { bpf_xdp_adjust_tail(self.ctx, delta) == 0 }
    }

    /// Cuts the frame at its start by so many octets, or grows it there. Returns whether the kernel agreed.
    #[inline(always)]
    pub(crate) fn move_start(&mut self, by: i32) -> bool {
        // SAFETY: as in `resize`.
        unsafe { bpf_xdp_adjust_head(self.ctx, by) == 0 }
    }

    /// Whether the frame is all in its first buffer.
    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        // SAFETY: as in `len`.
        let (start, end) = unsafe {
            (
                (*self.ctx).data as usize,
                read_volatile(&raw const (*self.ctx).data_end) as usize,
            )
        };
        end.wrapping_sub(start) == self.len()
    }

    /// The verifier knows packet memory by its pointers: to the start one may add, to the end one may
    /// compare. A compiler that sees whole numbers, or an end that stays the same in a loop, would
    /// rather calculate with the end.
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

    #[inline(always)]
    pub(super) fn span_mut(&mut self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        self.span(offset, len)
    }
}
