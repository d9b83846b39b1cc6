//! The BPF maps. Their names, keys and values are the interface to the agent: `ha_common::abi`.

mod lease;
mod live;
mod sockets;
mod tables;

use core::ptr::{read_volatile, write_volatile};

use aya_ebpf::helpers::{bpf_ktime_get_coarse_ns, bpf_ktime_get_ns};
use ha_common::{
    abi::{
        Deliver, Demotion, Event, Group, Mac, Peer, Port, RoleWord, Router, RouterKey,
        RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key, Vip6Key,
    },
    reason::Reason,
};

use self::tables::{
    ASKED, DELIVER, DEV, EVENT, GROUP, LIMIT, LOST, PEER, PEER_MAC, PORT, REASON, ROUTER,
    ROUTER_PEER, STALE, STAT, VIP4, VIP6, WATCH,
};
use super::{Asked, Limit};

/// The maps of the running program.
pub struct Maps(());

impl Maps {
    /// Access to the maps, for a running program.
    #[inline(always)]
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a program has its maps; there is no value to choose"
    )]
    pub const fn new() -> Self {
        Self(())
    }

    #[inline(always)]
    pub(crate) fn vip4(&self, key: &Vip4Key) -> Option<&Vip> {
        // SAFETY: an element stays readable until the program ends (RCU), and user space replaces
        // elements of this map as a whole.
        unsafe { VIP4.get(key) }
    }

    #[inline(always)]
    pub(crate) fn vip6(&self, key: &Vip6Key) -> Option<&Vip> {
        // SAFETY: as in `vip4`.
        unsafe { VIP6.get(key) }
    }

    /// A slot; zeros if there is none. The two words, which change under way, are each read with one
    /// load; the other fields are written before a group is in use.
    #[inline(always)]
    pub(crate) fn group(&self, slot: u32) -> Group {
        let Some(group) = GROUP.get_ptr(slot) else {
            return Group::default();
        };
        // SAFETY: elements of an array live as long as the map; both words are aligned.
        unsafe {
            Group {
                word: RoleWord::from_bits(read_volatile((&raw const (*group).word).cast())),
                demoted: Demotion::from_bits(read_volatile((&raw const (*group).demoted).cast())),
                ..*group
            }
        }
    }

    /// Writes the demotion word. This program is its only writer, on any of the processors.
    #[inline(always)]
    pub(crate) fn set_demoted(&mut self, slot: u32, demoted: Demotion) {
        if let Some(group) = GROUP.get_ptr_mut(slot) {
            // SAFETY: as in `group`; written with one store.
            unsafe { write_volatile((&raw mut (*group).demoted).cast(), demoted.to_bits()) };
        }
    }

    #[inline(always)]
    pub(crate) fn router(&self, key: &RouterKey) -> Option<&Router> {
        // SAFETY: as in `vip4`.
        unsafe { ROUTER.get(key) }
    }

    #[inline(always)]
    pub(crate) fn is_router_peer(&self, key: &RouterPeerKey) -> bool {
        ROUTER_PEER.get_ptr(key).is_some()
    }

    #[inline(always)]
    pub(crate) fn peer(&self, slot: u32) -> Option<&Peer> {
        // A peer's MAC is written once, before a role word names its slot.
        PEER.get(slot)
    }

    #[inline(always)]
    pub(crate) fn is_peer(&self, mac: &Mac) -> bool {
        PEER_MAC.get_ptr(mac).is_some()
    }

    /// What its end is watched for; zero if it is not.
    #[inline(always)]
    pub(crate) fn watched(&self, process: u32) -> u32 {
        // SAFETY: as in `vip4`.
        unsafe { WATCH.get(&process).copied().unwrap_or(0) }
    }

    /// Zeros if it is no port of a bond.
    #[inline(always)]
    pub(crate) fn port(&self, ifindex: u32) -> Port {
        // SAFETY: as in `vip4`.
        unsafe { PORT.get(&ifindex).copied().unwrap_or_default() }
    }

    #[inline(always)]
    pub(crate) fn deliver(&self, slot: u32) -> Option<&Deliver> {
        DELIVER.get(slot)
    }

    /// Has the frame go to the interface of a slot, if the program's action is to redirect it. Returns whether
    /// there is one.
    #[inline(always)]
    pub(crate) fn redirect(&mut self, slot: u32) -> bool {
        DEV.redirect(slot, 0).is_ok()
    }

    /// Counts frames that were redirected to an interface and did not arrive there, if it is a guest's.
    #[inline(always)]
    pub(crate) fn count_lost(&mut self, ifindex: u32, frames: u64) {
        let Some(lost) = LOST.get_ptr_mut(&ifindex) else {
            return;
        };
        // SAFETY: as in `count`.
        unsafe { *lost += frames };
        if let Some(traffic) = REASON.get_ptr_mut(Reason::GuestLost as u32) {
            // SAFETY: as in `count`.
            unsafe { (*traffic).packets += frames };
        }
    }

    #[inline(always)]
    pub(crate) fn count_reason(&mut self, reason: u32, bytes: u64) {
        if let Some(traffic) = REASON.get_ptr_mut(reason) {
            count(traffic, bytes);
        }
    }

    #[inline(always)]
    pub(crate) fn count_stat(&mut self, index: u32, bytes: u64) {
        if let Some(traffic) = STAT.get_ptr_mut(index) {
            count(traffic, bytes);
        }
    }

    /// Counts a frame of a sender. One that two processors count at the same moment may count once.
    #[inline(always)]
    pub(crate) fn count_stale(&mut self, key: &StaleKey) {
        let last_ns = self.coarse_now_ns();
        match STALE.get_ptr_mut(key) {
            // SAFETY: an element is memory of the map; at worst another sender has its place by now, and is counted
            // once too often.
            Some(stale) => unsafe {
                (*stale).frames += 1;
                (*stale).last_ns = last_ns;
            },
            None => {
                // Only when another processor adds it at this moment, or memory is short.
                let _ = STALE.insert(key, Stale { frames: 1, last_ns }, 0);
            }
        }
    }

    /// Sends a record. One that finds the ring full is lost: the counters still have it.
    #[inline(always)]
    pub(crate) fn send(&mut self, event: &Event) {
        if let Some(mut record) = EVENT.reserve(0) {
            record.write(*event);
            record.submit(0);
        }
    }

    #[inline(always)]
    pub(crate) fn limit(&self, group: u32) -> Option<&Limit> {
        // Another processor may write it at this moment; at worst an event is sent once too often.
        LIMIT.get(group)
    }

    #[inline(always)]
    pub(crate) fn set_limit(&mut self, group: u32, limit: Limit) {
        if let Some(slot) = LIMIT.get_ptr_mut(group) {
            // SAFETY: elements of an array live as long as the map.
            unsafe { *slot = limit };
        }
    }

    #[inline(always)]
    pub(crate) fn asked(&self, place: u32) -> Asked {
        // Another processor may write it at this moment; at worst a question is answered twice.
        ASKED.get(place).copied().unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn set_asked(&mut self, place: u32, asked: Asked) {
        if let Some(slot) = ASKED.get_ptr_mut(place) {
            // SAFETY: as in `set_limit`.
            unsafe { *slot = asked };
        }
    }

    #[inline(always)]
    pub(crate) fn now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    /// Exact to a tick, and cheaper than [`Self::now_ns`].
    #[inline(always)]
    pub(crate) fn coarse_now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_coarse_ns() }
    }
}

#[inline(always)]
fn count(traffic: *mut Traffic, bytes: u64) {
    // SAFETY: an element of a per-CPU array, which no other processor writes.
    unsafe {
        (*traffic).packets += 1;
        (*traffic).bytes += bytes;
    }
}
