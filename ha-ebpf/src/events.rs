//! What the agent is told at once, through the ring.

use ha_common::{
    abi::{Event, EventKind, Mac, StaleKey, Vlan},
    wire::eth,
};

use crate::{
    frame::{Frame, Hit},
    maps::Maps,
    packet::Packet,
};

/// How often a group may tell the same, nanoseconds: once a second.
const INTERVAL_NS: u64 = 1_000_000_000;
/// [`Event::group`] of what concerns the whole node.
const WHOLE_NODE: u32 = u32::MAX;

/// What a frame gives reason to tell.
#[derive(Clone, Copy)]
pub(crate) enum Topic {
    /// Another MAC claims an address that this node has.
    ConflictingOwner,
    /// A sender uses this node although it is not Active.
    StaleSender,
    /// A packet for a group that this node has was sent to where the group was before.
    Detour,
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

/// A watched process ends.
#[cfg(target_arch = "bpf")]
#[inline(always)]
pub(crate) fn process_exit(maps: &mut Maps, process: u32) {
    let [a, b, c, d] = process.to_be_bytes();
    maps.send(&Event {
        time_ns: maps.now_ns(),
        kind: EventKind::ProcessExit as u32,
        group: WHOLE_NODE,
        ifindex: 0,
        vlan: Vlan::default(),
        addr: [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        mac: Mac::ZERO,
        pad: [0; 2],
    });
}

/// A peer does not hear this node and takes over.
#[inline(always)]
pub(crate) fn unheard(maps: &mut Maps, packet: &Packet, frame: &Frame) {
    let eth::Header { src, .. } = packet.get(0).copied().unwrap_or_default();
    maps.send(&Event {
        time_ns: maps.now_ns(),
        kind: EventKind::Unheard as u32,
        group: WHOLE_NODE,
        ifindex: maps.arrival(packet),
        vlan: frame.vlan,
        addr: [0; 16],
        mac: src,
        pad: [0; 2],
    });
}

/// An advertisement from the address `from` demoted `group`. There is one for each demotion, so this
/// needs no limit.
#[inline(always)]
pub(crate) fn demoted(maps: &mut Maps, packet: &Packet, frame: &Frame, group: u32, from: [u8; 16]) {
    let eth::Header { src, .. } = packet.get(0).copied().unwrap_or_default();
    maps.send(&Event {
        time_ns: maps.now_ns(),
        kind: EventKind::Demoted as u32,
        group,
        ifindex: maps.arrival(packet),
        vlan: frame.vlan,
        addr: from,
        mac: src,
        pad: [0; 2],
    });
}

/// Tells what a frame did to the virtual IP `addr` of `group`, or what its sender `addr` did to it.
#[inline(always)]
pub(crate) fn about(maps: &mut Maps, hit: &Hit, topic: Topic, group: u32, addr: [u8; 16]) {
    let kind = match topic {
        Topic::ConflictingOwner => EventKind::ConflictingOwner,
        Topic::StaleSender => EventKind::StaleSender,
        Topic::Detour => EventKind::Detour,
    };
    let event = Event {
        time_ns: 0,
        kind: kind as u32,
        group,
        ifindex: hit.ifindex,
        vlan: hit.vlan,
        addr,
        mac: hit.src,
        pad: [0; 2],
    };
    send_if_due(maps, topic, event);
}

/// A function of its own, so that the program has it once.
#[inline(never)]
fn send_if_due(maps: &mut Maps, topic: Topic, mut event: Event) {
    match topic {
        Topic::StaleSender => maps.count_stale(&StaleKey {
            addr: event.addr,
            group: event.group,
            mac: event.mac,
            pad: [0; 2],
        }),
        Topic::ConflictingOwner | Topic::Detour => {}
    }
    if is_due(maps, topic, event.group) {
        event.time_ns = maps.now_ns();
        maps.send(&event);
    }
}

/// Whether the group has kept silent about this for long enough. Two processors may both find that
/// it has; then the agent hears it twice.
#[inline(always)]
fn is_due(maps: &mut Maps, topic: Topic, group: u32) -> bool {
    let Some(&(mut limit)) = maps.limit(group) else {
        return false;
    };
    let last = match topic {
        Topic::ConflictingOwner => &mut limit.conflicting_owner_ns,
        // Both are about stale traffic, of which a node is either the wrong end or the right one.
        Topic::StaleSender | Topic::Detour => &mut limit.stale_sender_ns,
    };
    let now = maps.coarse_now_ns();
    if *last != 0 && now.saturating_sub(*last) < INTERVAL_NS {
        return false;
    }
    *last = now;
    maps.set_limit(group, limit);
    true
}

#[cfg(test)]
mod tests {
    use ha_common::abi::{EventKind, Mac, StaleKey, Vip, Vlan};

    use super::{INTERVAL_NS, Topic, about};
    use crate::{Maps, frame::Hit};

    const HIT: Hit = Hit {
        vip: Vip {
            group: 3,
            deliver: 0,
        },
        vlan: Vlan {
            outer: 100,
            inner: 0,
        },
        l3: 18,
        dst: Mac::BROADCAST,
        src: Mac([2; 6]),
        ifindex: 7,
        len: 64,
    };

    #[test]
    fn a_group_tells_the_same_once_a_second() {
        let mut maps = Maps {
            clock_ns: 1,
            ..Maps::default()
        };
        let tell = |maps: &mut Maps, topic, group| about(maps, &HIT, topic, group, [0xfd; 16]);
        for _ in 0..3 {
            tell(&mut maps, Topic::StaleSender, 3);
        }
        assert_eq!(maps.events.len(), 1);
        let counted = StaleKey {
            addr: [0xfd; 16],
            group: 3,
            mac: HIT.src,
            pad: [0; 2],
        };
        assert_eq!(maps.stale[&counted].frames, 3, "but counts each");
        tell(&mut maps, Topic::ConflictingOwner, 3);
        assert_eq!(maps.events.len(), 2, "another topic is another matter");
        tell(&mut maps, Topic::StaleSender, 4);
        assert_eq!(maps.events.len(), 3, "another group, too");
        maps.clock_ns += INTERVAL_NS;
        tell(&mut maps, Topic::StaleSender, 3);
        assert_eq!(maps.events.len(), 4);

        let event = maps.events[1];
        assert_eq!(event.kind, EventKind::ConflictingOwner as u32);
        assert_eq!((event.group, event.ifindex), (3, 7));
        assert_eq!((event.vlan, event.mac), (HIT.vlan, HIT.src));
        assert_eq!((event.time_ns, event.addr), (1, [0xfd; 16]));
    }
}
