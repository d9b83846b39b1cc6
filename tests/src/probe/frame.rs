//! Reading answers to probes out of raw frames.

use std::net::IpAddr;

use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet,
    IpProtocol, Ipv4Packet, Ipv6Packet,
};

use super::{
    icmp,
    record::{Kind, Which},
    solicit,
};

/// An answer seen on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// How the probe asked.
    pub kind: Kind,
    /// The virtual IP that answers.
    pub target: IpAddr,
    /// The probe.
    pub which: Which,
}

/// The probe that a frame answers; `None` for every other frame.
pub(super) fn parse_reply(bytes: &[u8]) -> Option<Reply> {
    let frame = EthernetFrame::new_checked(bytes).ok()?;
    if frame.ethertype() == EthernetProtocol::Arp {
        arp(&frame)
    } else if frame.ethertype() == EthernetProtocol::Ipv4 {
        let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
        if packet.next_header() != IpProtocol::Icmp {
            return None;
        }
        Some(Reply {
            kind: Kind::Icmp,
            target: packet.src_addr().into(),
            which: Which::Number(icmp::number_in_echo_reply(packet.payload())?),
        })
    } else if frame.ethertype() == EthernetProtocol::Ipv6 {
        icmpv6(&frame)
    } else {
        None
    }
}

fn arp(frame: &EthernetFrame<&[u8]>) -> Option<Reply> {
    let packet = ArpPacket::new_checked(frame.payload()).ok()?;
    let ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_protocol_addr: target,
        target_protocol_addr: asker,
        ..
    } = ArpRepr::parse(&packet).ok()?
    else {
        return None;
    };
    Some(Reply {
        kind: Kind::Arp,
        target: target.into(),
        which: solicit::asked_by(frame.dst_addr(), asker.into())?,
    })
}

fn icmpv6(frame: &EthernetFrame<&[u8]>) -> Option<Reply> {
    let packet = Ipv6Packet::new_checked(frame.payload()).ok()?;
    if packet.next_header() != IpProtocol::Icmpv6 {
        return None;
    }
    let message = Icmpv6Packet::new_checked(packet.payload()).ok()?;
    // An advertisement with a wrong checksum would be thrown away by a real asker.
    if !message.verify_checksum(&packet.src_addr(), &packet.dst_addr()) {
        return None;
    }
    if message.msg_type() == Icmpv6Message::NeighborAdvert {
        Some(Reply {
            kind: Kind::Ns,
            target: message.target_addr().into(),
            which: solicit::asked_by(frame.dst_addr(), packet.dst_addr().into())?,
        })
    } else {
        Some(Reply {
            kind: Kind::Icmp,
            target: packet.src_addr().into(),
            which: Which::Number(icmp::number_in_echo_reply6(packet.payload())?),
        })
    }
}
