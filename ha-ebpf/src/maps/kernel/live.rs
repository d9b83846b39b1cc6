//! Who is probed, and who probes.

use core::ptr::{read_volatile, write_volatile};

use ha_common::abi::{EchoPeer, LivePeerKey, Reflector, Reply};

use super::{
    Maps,
    tables::{ECHO, LIVE, LIVE_PEER, REFLECT},
};

impl Maps {
    #[inline(always)]
    pub(crate) fn reflector(&self, discriminator: u32) -> Option<&Reflector> {
        // SAFETY: as in `Maps::vip4`.
        unsafe { REFLECT.get(&discriminator) }
    }

    #[inline(always)]
    pub(crate) fn live_peer(&self, key: &LivePeerKey) -> Option<u32> {
        // SAFETY: as in `Maps::vip4`.
        unsafe { LIVE_PEER.get(key).copied() }
    }

    /// Zero if there is no such path.
    #[inline(always)]
    pub(crate) fn live_session(&self, slot: u32) -> u32 {
        // SAFETY: as in `Maps::group`; written before the path has a slot.
        LIVE.get_ptr(slot).map_or(0, |live| unsafe {
            read_volatile(&raw const (*live).session)
        })
    }

    /// A path's packets come in on one processor at a time, so the counts are as good as exact. The stamp
    /// comes last: who sees it sees what it is the stamp of.
    #[inline(always)]
    pub(crate) fn note_reply(&mut self, slot: u32, reply: Reply) {
        let now = self.now_ns();
        if let Some(live) = LIVE.get_ptr_mut(slot) {
            // SAFETY: as in `Maps::set_demoted`.
            unsafe {
                (*live).replies += 1;
                write_volatile((&raw mut (*live).reply).cast(), reply.to_bits());
                write_volatile(&raw mut (*live).replied_ns, now);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn note_request(&mut self, slot: u32, view: u32) {
        let now = self.now_ns();
        if let Some(live) = LIVE.get_ptr_mut(slot) {
            // SAFETY: as in `Maps::set_demoted`.
            unsafe {
                (*live).requests += 1;
                write_volatile(&raw mut (*live).view, view);
                write_volatile(&raw mut (*live).asked_ns, now);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn echo_peer(&self, key: &LivePeerKey) -> Option<&EchoPeer> {
        // SAFETY: as in `Maps::vip4`.
        unsafe { ECHO.get(key) }
    }
}
