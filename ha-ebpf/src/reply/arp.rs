//! ARP (RFC 826, RFC 5227): who has a virtual IP, and who else says that he has.
//!
//! The stack must never see a request for a virtual IP: it has a route that makes the address local,
//! and would answer.

use ha_common::{
    abi::{Vip, Vip4Key, Vlan},
    fence::Standing,
    reason::Reason,
    wire::{arp, eth, ipv4},
};

use crate::{
    End,
    events::{self, Topic},
    fence::Served,
    frame::{Addressed, Frame, Hit},
    maps::Maps,
    moving::{self, Question},
    packet::Packet,
    steer::v4::mapped,
};

/// The sender of a probe, which has no address yet (RFC 5227 section 2.1.1).
const PROBE: [u8; 4] = [0; 4];

/// Takes an ARP packet.
#[inline(always)]
pub(crate) fn handle(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> End {
    let Some(&arp::Packet { sender, target, .. }) = packet.get(frame.l3) else {
        return End::NOT_OURS;
    };
    if let Some(vip) = vip(maps, target, frame.vlan) {
        let hit = frame.hit(packet, maps, vip);
        let reason = asked(packet, maps, &hit);
        return hit.end(reason);
    }
    if sender == PROBE || sender == target {
        return End::NOT_OURS;
    }
    let Some(vip) = vip(maps, sender, frame.vlan) else {
        return End::NOT_OURS;
    };
    let hit = frame.hit(packet, maps, vip);
    let reason = used(packet, maps, &hit);
    hit.end(reason)
}

#[inline(always)]
fn vip(maps: &Maps, addr: [u8; 4], vlan: Vlan) -> Option<&Vip> {
    maps.vip4(&Vip4Key { addr, vlan })
}

/// A packet whose target is a virtual IP.
#[inline(always)]
fn asked(packet: &mut Packet, maps: &mut Maps, hit: &Hit) -> Reason {
    let served = Served::read(maps, hit.vip.group);
    let Some(&arp) = packet.get::<arp::Packet>(hit.l3) else {
        return Reason::ArpMalformed;
    };
    if let Err(reason) = admit(&served, &arp, hit) {
        return reason;
    }
    let is_request = arp.operation() == arp::OP_REQUEST;
    if arp.sender == arp.target {
        return match (is_conflict(&served, &arp, hit), is_request) {
            (true, _) => conflict(maps, hit, hit.vip.group, arp.sender),
            (false, true) => Reason::AnnouncementRequest,
            (false, false) => Reason::AnnouncementSeen,
        };
    }
    if arp.sender != PROBE
        && let Some(&Vip { group, .. }) = vip(maps, arp.sender, hit.vlan)
        && is_conflict(&Served::read(maps, group), &arp, hit)
    {
        return conflict(maps, hit, group, arp.sender);
    }
    if is_request {
        question(packet, maps, hit, &arp, &served)
    } else {
        Reason::ArpReply
    }
}

/// A packet whose sender, but not its target, is a virtual IP.
#[inline(always)]
fn used(packet: &Packet, maps: &mut Maps, hit: &Hit) -> Reason {
    let served = Served::read(maps, hit.vip.group);
    let Some(&arp) = packet.get::<arp::Packet>(hit.l3) else {
        return Reason::ArpMalformed;
    };
    if let Err(reason) = admit(&served, &arp, hit) {
        return reason;
    }
    if is_conflict(&served, &arp, hit) {
        conflict(maps, hit, hit.vip.group, arp.sender)
    } else {
        Reason::AnnouncementSeen
    }
}

/// Whether a packet was meant for this node, and makes sense.
#[inline(always)]
fn admit(served: &Served, arp: &arp::Packet, hit: &Hit) -> Result<(), Reason> {
    let group = &served.group;
    if !served.is_used() {
        Err(Reason::GroupUnused)
    } else if hit.is_at_home(group) && hit.addressed(group.mac4, group) == Addressed::Other {
        Err(Reason::ForeignMac)
    } else if !arp.is_ethernet_ipv4() || !arp.sender_mac.is_station() {
        Err(Reason::ArpMalformed)
    } else {
        Ok(())
    }
}

/// Whether the sender is somebody else than this node, which has the group.
#[inline(always)]
fn is_conflict(served: &Served, arp: &arp::Packet, hit: &Hit) -> bool {
    let Served { group, standing } = served;
    served.is_used()
        && *standing == Standing::Active
        && hit.is_at_home(group)
        && arp.sender_mac != group.mac4
        && arp.sender_mac != group.nic
}

#[inline(always)]
fn conflict(maps: &mut Maps, hit: &Hit, group: u32, addr: [u8; 4]) -> Reason {
    events::about(maps, hit, Topic::ConflictingOwner, group, mapped(addr));
    Reason::ConflictingOwner
}

#[inline(always)]
fn question(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    arp: &arp::Packet,
    served: &Served,
) -> Reason {
    if !hit.is_at_home(&served.group) {
        return Reason::WrongInterface;
    }
    if hit.is_idle_copy(packet, maps) {
        return Reason::IdlePort;
    }
    if let Err(silent) = moving::hear(maps, hit, served) {
        return silent;
    }
    if arp.sender != PROBE && !ipv4::is_host(arp.sender) {
        return Reason::ArpMalformed;
    }
    let [.., c, d] = arp.sender;
    let question = Question {
        asker: arp.sender_mac,
        address: [c, d],
        vip: arp.target,
        is_v6: false,
    };
    if let Err(silent) = moving::admit(packet, maps, hit, served, question) {
        return silent;
    }
    let mac = served.group.mac4;
    let Some(reply) = packet.get_mut::<arp::Packet>(hit.l3) else {
        return Reason::ArpMalformed;
    };
    reply.operation = arp::OP_REPLY.to_be_bytes();
    (reply.sender_mac, reply.sender) = (mac, arp.target);
    (reply.target_mac, reply.target) = (arp.sender_mac, arp.sender);
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::ArpMalformed;
    };
    header.dst = arp.sender_mac;
    header.src = mac;
    Reason::ArpAnswered
}
