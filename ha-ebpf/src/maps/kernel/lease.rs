//! The lease, and the timer that ends it.

use core::ptr::{from_ref, read_volatile, write_volatile};

use aya_ebpf::{
    cty::c_void,
    helpers::{bpf_timer_cancel, bpf_timer_init, bpf_timer_set_callback, bpf_timer_start},
};
use ha_common::{abi::Node, lease::LeaseWord};

use super::{Maps, tables::NODE};
use crate::lease;

/// `CLOCK_MONOTONIC`, `include/uapi/linux/time.h`.
const CLOCK_MONOTONIC: u64 = 1;
/// `bpf_timer_init` on a timer that is set up already.
const EBUSY: i64 = 16;

impl Maps {
    #[inline(always)]
    pub(crate) fn lease(&self) -> LeaseWord {
        NODE.get_ptr(0).map_or_else(LeaseWord::default, |node| {
            // SAFETY: as in `Maps::group`; the word is aligned and read with one load.
            LeaseWord::from_bits(unsafe { read_volatile((&raw const (*node).lease).cast()) })
        })
    }

    #[inline(always)]
    pub(crate) fn set_lease(&mut self, word: LeaseWord) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `lease`; written with one store.
            unsafe { write_volatile((&raw mut (*node).lease).cast(), word.to_bits()) };
        }
    }

    /// Sets the timer up, so that it calls this program's [`on_timer`] and not that of an agent
    /// before. Returns whether the kernel agreed.
    #[inline(always)]
    pub(crate) fn prepare_timer(&mut self) -> bool {
        let Some(node) = NODE.get_ptr_mut(0) else {
            return false;
        };
        // SAFETY: the timer lies in an element of the map that is named.
        unsafe {
            let timer = (&raw mut (*node).timer).cast();
            let map = from_ref(&NODE).cast_mut().cast::<c_void>();
            let made = bpf_timer_init(timer, map, CLOCK_MONOTONIC);
            if made != 0 && made != -EBUSY {
                return false;
            }
            (*node).timer_ready = 1;
            bpf_timer_set_callback(timer, on_timer as *mut c_void) == 0
        }
    }

    #[inline(always)]
    pub(crate) fn start_timer(&mut self, length_ns: u64) -> bool {
        NODE.get_ptr_mut(0).is_some_and(|node| {
            // SAFETY: as in `prepare_timer`.
            unsafe { bpf_timer_start((&raw mut (*node).timer).cast(), length_ns, 0) == 0 }
        })
    }

    /// Stops the timer, and waits for it if it is just firing.
    #[inline(always)]
    pub(crate) fn stop_timer(&mut self) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `prepare_timer`. The result says whether it was running.
            unsafe { bpf_timer_cancel((&raw mut (*node).timer).cast()) };
        }
    }

    #[inline(always)]
    pub(crate) fn note_renewal(&mut self, length_ns: u64) {
        let now = self.now_ns();
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `Maps::group`; only the lease program writes these fields.
            unsafe {
                (*node).length_ns = length_ns;
                (*node).renewed_ns = now;
                (*node).renewals += 1;
            }
        }
    }

    #[inline(always)]
    pub(crate) fn note_lapse(&mut self, now_ns: u64) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `Maps::group`; only the timer writes these fields.
            unsafe {
                (*node).lapsed_ns = now_ns;
                (*node).lapses += 1;
            }
        }
    }
}

/// Called by the kernel when the lease was not renewed in time.
unsafe extern "C" fn on_timer(_map: *mut c_void, _key: *mut u32, _node: *mut Node) -> i32 {
    lease::lapse(&mut Maps::new());
    0
}
