//! Whether a frame is for a virtual IP, and which file takes it from there.
//!
//! A frame that is not ours costs a look at its headers and one lookup (two in ARP, which names a
//! sender and a target). Nothing else is read of it: what a call to the kernel lies between is read
//! again afterwards, which is cheaper than to keep it.

use ha_common::{
    abi::{Vip4Key, Vip6Key},
    wire::{
        eth::{ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6},
        icmp, ipv4, ipv6, nd, vrrp,
    },
};

use crate::{
    End, demote,
    frame::Frame,
    live,
    maps::Maps,
    packet::Packet,
    reply::{self, nd::Heard},
    steer,
};

/// What becomes of a frame.
#[inline(always)]
pub(crate) fn frame(packet: &mut Packet, maps: &mut Maps) -> End {
    let frame = Frame::parse(packet);
    match frame.ethertype {
        ETHERTYPE_IPV4 => v4(packet, maps, &frame),
        ETHERTYPE_IPV6 => v6(packet, maps, &frame),
        ETHERTYPE_ARP => reply::arp::handle(packet, maps, &frame),
        _ => End::NOT_OURS,
    }
}

#[inline(always)]
fn v4(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> End {
    let Some(&ipv4::Header {
        protocol,
        dst: addr,
        ..
    }) = packet.get(frame.l3)
    else {
        return End::NOT_OURS;
    };
    if protocol == vrrp::PROTOCOL {
        let end = demote::judge::<ipv4::Header>(packet, maps, frame);
        if end.reason.is_some() {
            return end;
        }
    }
    if !ipv4::is_host(addr) {
        return End::NOT_OURS;
    }
    let vlan = frame.vlan;
    let Some(vip) = maps.vip4(&Vip4Key { addr, vlan }) else {
        return live::judge::<ipv4::Header>(packet, maps, frame);
    };
    let hit = frame.hit(packet, maps, vip);
    let reason = steer::steer::<ipv4::Header>(packet, maps, &hit);
    hit.end(reason)
}

#[inline(always)]
fn v6(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> End {
    let vlan = frame.vlan;
    if let Some(&addr) = target(packet, frame.l3)
        && let Some(vip) = maps.vip6(&Vip6Key { addr, vlan })
    {
        let hit = frame.hit(packet, maps, vip);
        let reason = reply::nd::judge(packet, maps, &hit);
        return hit.end(reason);
    }
    let Some(&ipv6::Header {
        next_header,
        dst: addr,
        ..
    }) = packet.get(frame.l3)
    else {
        return End::NOT_OURS;
    };
    if next_header == vrrp::PROTOCOL {
        let end = demote::judge::<ipv6::Header>(packet, maps, frame);
        if end.reason.is_some() {
            return end;
        }
    }
    if ipv6::is_multicast(addr) {
        return End::NOT_OURS;
    }
    let Some(vip) = maps.vip6(&Vip6Key { addr, vlan }) else {
        return live::judge::<ipv6::Header>(packet, maps, frame);
    };
    let hit = frame.hit(packet, maps, vip);
    let reason = steer::steer::<ipv6::Header>(packet, maps, &hit);
    hit.end(reason)
}

/// The target of a neighbour solicitation or advertisement.
#[inline(always)]
fn target(packet: &Packet, l3: usize) -> Option<&[u8; 16]> {
    if packet.get::<ipv6::Header>(l3)?.next_header != icmp::PROTOCOL_V6 {
        return None;
    }
    let message = &packet.get::<Heard>(l3)?.1;
    matches!(message.kind, nd::SOLICITATION | nd::ADVERTISEMENT).then_some(&message.target)
}
