//! Frames that were redirected to a guest and did not arrive at its interface: counted, since nobody else would
//! say for whom they were.
//!
//! A redirection is a promise. Frames are collected and handed to the interface together, when the program has
//! long ended; then its queue may be full, or it may have been taken down.

use aya_ebpf::programs::TracePointContext;

use crate::maps::Maps;

/// Offsets in the record of `xdp:xdp_devmap_xmit` (`include/trace/events/xdp.h`).
mod xmit {
    pub(super) const TO_IFINDEX: usize = 16;
    pub(super) const DROPS: usize = 20;
}

/// Offset in the record of `xdp:xdp_redirect_err`.
const REFUSED_TO_IFINDEX: usize = 24;

/// Called when frames have been handed to an interface.
#[inline(always)]
pub fn lost(ctx: &TracePointContext, maps: &mut Maps) -> u32 {
    let drops = read(ctx, xmit::DROPS);
    if drops > 0 {
        maps.count_lost(read(ctx, xmit::TO_IFINDEX), u64::from(drops));
    }
    0
}

/// Called when a frame could not even be collected for an interface.
#[inline(always)]
pub fn refused(ctx: &TracePointContext, maps: &mut Maps) -> u32 {
    maps.count_lost(read(ctx, REFUSED_TO_IFINDEX), 1);
    0
}

/// A field of a record; zero, which is no interface and no loss, if it cannot be read.
#[inline(always)]
fn read(ctx: &TracePointContext, offset: usize) -> u32 {
    // SAFETY: both records are longer than the offsets above, and every bit pattern is an integer.
    unsafe { ctx.read_at(offset) }.unwrap_or(0)
}
