//! Whether a frame is for a virtual IP, and which file takes it from there.
//!
//! A frame that is not ours costs a look at its headers and one lookup (two in ARP, which names a
//! sender and a target). Nothing else is read of it: what a call to the kernel lies between is read
//! again afterwards, which is cheaper than to keep it.

use ha_common::{
    abi::{Vip4Key, Vip6Key},
    wire::{
        eth::{ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6},
        icmp, ipv4, ipv6, nd,
    },
};

use crate::{
    End,
    frame::Frame,
    maps::Maps,
    packet::Packet,
    reply::{self, nd::Heard},
    steer,
};

/// What becomes of a frame; `None` if it is not for a virtual IP.
#[inline(always)]
pub(crate) fn frame(packet: &mut Packet, maps: &mut Maps) -> Option<End> {
    let frame = Frame::parse(packet)?;
    match frame.ethertype {
        ETHERTYPE_IPV4 => v4(packet, maps, &frame),
        ETHERTYPE_IPV6 => v6(packet, maps, &frame),
        ETHERTYPE_ARP => reply::arp::handle(packet, maps, &frame),
        _ => None,
    }
}

#[inline(always)]
fn v4(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> Option<End> {
    let addr = packet.get::<ipv4::Header>(frame.l3)?.dst;
    if !ipv4::is_host(addr) {
        return None;
    }
    let vip = maps.vip4(&Vip4Key {
        addr,
        vlan: frame.vlan,
    })?;
    let hit = frame.hit(packet, vip);
    let reason = steer::steer::<ipv4::Header>(packet, maps, &hit);
    Some(hit.end(reason))
}

#[inline(always)]
fn v6(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> Option<End> {
    let vlan = frame.vlan;
    if let Some(addr) = target(packet, frame.l3)
        && let Some(vip) = maps.vip6(&Vip6Key { addr, vlan })
    {
        let hit = frame.hit(packet, vip);
        let reason = reply::nd::judge(packet, maps, &hit);
        return Some(hit.end(reason));
    }
    let addr = packet.get::<ipv6::Header>(frame.l3)?.dst;
    if ipv6::is_multicast(addr) {
        return None;
    }
    let vip = maps.vip6(&Vip6Key { addr, vlan })?;
    let hit = frame.hit(packet, vip);
    let reason = steer::steer::<ipv6::Header>(packet, maps, &hit);
    Some(hit.end(reason))
}

/// The target of a neighbour solicitation or advertisement.
#[inline(always)]
fn target(packet: &Packet, l3: usize) -> Option<[u8; 16]> {
    if packet.get::<ipv6::Header>(l3)?.next_header != icmp::PROTOCOL_V6 {
        return None;
    }
    let message = &packet.get::<Heard>(l3)?.1;
    matches!(message.kind, nd::SOLICITATION | nd::ADVERTISEMENT).then_some(message.target)
}
