//! Whether a frame is for a virtual IP, and which file takes it from there.
//!
//! A frame that is not ours costs a look at its headers and one lookup (two in ARP, which names a
//! sender and a target).

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
    packet::{Packet, Then},
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
    let header = *packet.get::<ipv4::Header>(frame.l3)?;
    if !ipv4::is_host(header.dst) {
        return None;
    }
    let vip = maps.vip4(&Vip4Key {
        addr: header.dst,
        vlan: frame.vlan,
    })?;
    Some(steer::handle(packet, maps, frame, &header, vip))
}

#[inline(always)]
fn v6(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> Option<End> {
    let header = *packet.get::<ipv6::Header>(frame.l3)?;
    if header.next_header == icmp::PROTOCOL_V6
        && let Some(&Then(_, message)) = packet.get::<Then<ipv6::Header, nd::Message>>(frame.l3)
        && matches!(message.kind, nd::SOLICITATION | nd::ADVERTISEMENT)
        && let Some(vip) = maps.vip6(&Vip6Key {
            addr: message.target,
            vlan: frame.vlan,
        })
    {
        let heard = Heard {
            ip: header,
            message,
        };
        return Some(reply::nd::handle(packet, maps, frame, &heard, vip));
    }
    if ipv6::is_multicast(header.dst) {
        return None;
    }
    let vip = maps.vip6(&Vip6Key {
        addr: header.dst,
        vlan: frame.vlan,
    })?;
    Some(steer::handle(packet, maps, frame, &header, vip))
}
