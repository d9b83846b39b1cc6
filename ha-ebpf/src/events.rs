//! What the agent is told at once, through the ring.

use ha_common::abi::{Event, EventKind, Mac, Vlan};

use crate::{frame::Frame, maps::Maps, packet::Packet};

/// How often a group may tell the same, nanoseconds: once a second.
const INTERVAL_NS: u64 = 1_000_000_000;
/// [`Event::group`] of what concerns the whole node.
const WHOLE_NODE: u32 = u32::MAX;

/// What a frame gives reason to tell.
#[derive(Clone, Copy)]
enum Topic {
    ConflictingOwner,
    StaleSender,
}

impl Topic {
    const fn kind(self) -> EventKind {
        match self {
            Self::ConflictingOwner => EventKind::ConflictingOwner,
            Self::StaleSender => EventKind::StaleSender,
        }
    }
}

/// Another MAC claims an address that this node has.
#[inline(always)]
pub(crate) fn conflicting_owner(
    maps: &mut Maps,
    packet: &Packet,
    frame: &Frame,
    group: u32,
    addr: [u8; 16],
) {
    about_frame(maps, packet, frame, Topic::ConflictingOwner, group, addr);
}

/// A sender uses this node although it is not Active.
#[inline(always)]
pub(crate) fn stale_sender(
    maps: &mut Maps,
    packet: &Packet,
    frame: &Frame,
    group: u32,
    addr: [u8; 16],
) {
    about_frame(maps, packet, frame, Topic::StaleSender, group, addr);
}

/// The lease lapsed at `time_ns`.
#[inline(always)]
pub(crate) fn lease_lapsed(maps: &mut Maps, time_ns: u64) {
    maps.send(&Event {
        time_ns,
        kind: EventKind::LeaseLapsed as u32,
        group: WHOLE_NODE,
        ifindex: 0,
        vlan: Vlan::default(),
        addr: [0; 16],
        mac: Mac::ZERO,
        pad: [0; 2],
    });
}

#[inline(always)]
fn about_frame(
    maps: &mut Maps,
    packet: &Packet,
    frame: &Frame,
    topic: Topic,
    group: u32,
    addr: [u8; 16],
) {
    if !is_due(maps, topic, group) {
        return;
    }
    maps.send(&Event {
        time_ns: maps.now_ns(),
        kind: topic.kind() as u32,
        group,
        ifindex: packet.ifindex(),
        vlan: frame.vlan,
        addr,
        mac: frame.src,
        pad: [0; 2],
    });
}

/// Whether the group has kept silent about this for long enough. Two processors may both find that
/// it has; then the agent hears it twice.
#[inline(always)]
fn is_due(maps: &mut Maps, topic: Topic, group: u32) -> bool {
    let Some(mut limit) = maps.limit(group) else {
        return false;
    };
    let last = match topic {
        Topic::ConflictingOwner => &mut limit.conflicting_owner_ns,
        Topic::StaleSender => &mut limit.stale_sender_ns,
    };
    let now = maps.coarse_now_ns();
    if *last != 0 && now.saturating_sub(*last) < INTERVAL_NS {
        return false;
    }
    *last = now;
    maps.set_limit(group, limit);
    true
}
