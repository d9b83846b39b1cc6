//! ARP (RFC 826, RFC 5227): who has a virtual IP, and who else says that he has.
//!
//! The stack must never see a request for a virtual IP: it has a route that makes the address local,
//! and would answer.

use ha_common::{
    abi::{Vip, Vip4Key},
    fence::Standing,
    reason::Reason,
    wire::{arp, eth, ipv4},
};

use crate::{
    End, events,
    fence::Served,
    frame::{Addressed, Frame},
    maps::Maps,
    packet::Packet,
    steer::v4::mapped,
};

/// The sender of a probe, which has no address yet (RFC 5227 section 2.1.1).
const PROBE: [u8; 4] = [0; 4];

/// What a packet says about virtual IPs.
struct Claim {
    arp: arp::Packet,
    target: Option<Vip>,
    sender: Option<Vip>,
}

/// Takes an ARP packet; `None` if neither its target nor its sender is a virtual IP.
#[inline(always)]
pub(crate) fn handle(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> Option<End> {
    let arp = *packet.get::<arp::Packet>(frame.l3)?;
    let vip = |addr| {
        maps.vip4(&Vip4Key {
            addr,
            vlan: frame.vlan,
        })
    };
    let target = vip(arp.target);
    let sender = match arp.sender {
        PROBE => None,
        sender if sender == arp.target => target,
        sender => vip(sender),
    };
    let group = target.or(sender)?.group;
    let claim = Claim {
        arp,
        target,
        sender,
    };
    let len = packet.len();
    let (group, reason) = judge(packet, maps, frame, &claim, group);
    Some(End { group, reason, len })
}

/// The group that the packet counts for, and what becomes of it.
#[inline(always)]
fn judge(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    claim: &Claim,
    group: u32,
) -> (u32, Reason) {
    let Claim {
        arp,
        target,
        sender,
    } = claim;
    let Some(served) = Served::read(maps, group) else {
        return (group, Reason::GroupUnused);
    };
    let at_home = packet.ifindex() == served.group.ifindex;
    if at_home && frame.addressed(served.group.mac4, &served.group) == Addressed::Other {
        return (group, Reason::ForeignMac);
    }
    if !arp.is_ethernet_ipv4() || !arp.sender_mac.is_station() {
        return (group, Reason::ArpMalformed);
    }
    if let Some(owned) = sender {
        if is_conflict(packet, maps, arp, *owned) {
            events::conflicting_owner(maps, packet, frame, owned.group, mapped(arp.sender));
            return (owned.group, Reason::ConflictingOwner);
        }
        if target.is_none() || arp.sender == arp.target {
            return (group, announcement(arp));
        }
    }
    if arp.operation() != arp::OP_REQUEST {
        return (group, Reason::ArpReply);
    }
    (group, question(packet, frame, arp, &served, at_home))
}

/// Whether somebody else claims an address that this node has.
#[inline(always)]
fn is_conflict(packet: &Packet, maps: &Maps, arp: &arp::Packet, owned: Vip) -> bool {
    Served::read(maps, owned.group).is_some_and(|Served { group, standing }| {
        standing == Standing::Active
            && packet.ifindex() == group.ifindex
            && arp.sender_mac != group.mac4
            && arp.sender_mac != group.nic
    })
}

/// A packet in which the owner of an address uses it.
#[inline(always)]
fn announcement(arp: &arp::Packet) -> Reason {
    if arp.operation() == arp::OP_REQUEST && arp.sender == arp.target {
        Reason::AnnouncementRequest
    } else {
        Reason::AnnouncementSeen
    }
}

#[inline(always)]
fn question(
    packet: &mut Packet,
    frame: &Frame,
    arp: &arp::Packet,
    served: &Served,
    at_home: bool,
) -> Reason {
    if !at_home {
        return Reason::WrongInterface;
    }
    if let Err(silent) = served.may_answer() {
        return silent;
    }
    if arp.sender != PROBE && !ipv4::is_host(arp.sender) {
        return Reason::ArpMalformed;
    }
    let mac = served.group.mac4;
    let Some(reply) = packet.get_mut::<arp::Packet>(frame.l3) else {
        return Reason::ArpMalformed;
    };
    *reply = arp::Packet::new(
        arp::OP_REPLY,
        (mac, arp.target),
        (arp.sender_mac, arp.sender),
    );
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::ArpMalformed;
    };
    header.dst = arp.sender_mac;
    header.src = mac;
    Reason::ArpAnswered
}
