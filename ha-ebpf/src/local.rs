//! What programs on this host send to a virtual IP: on its way to the Active node, if that is another one.
//!
//! The routes that make virtual IPs local send such packets over the loopback interface, to this host itself.
//! There they are met at the egress hook. Each packet is judged by the words of its moment, so a socket outlives
//! any change of roles, whoever opened it and however it sends.
//!
//! A packet from a virtual IP to itself stays: nobody but the Active node may speak as it, and it is
//! how a program says that it means its own host.

use ha_common::{
    abi::{Vip, Vip4Key, Vip6Key},
    fence::Standing,
    reason::Reason,
    wire::{
        eth::{ETHERTYPE_IPV4, ETHERTYPE_IPV6},
        ipv4, ipv6,
    },
};

use crate::{End, fence::Served, frame::Frame, maps::Maps, packet::SocketBuffer};

/// The interface out of which a packet of this host goes, and its end; 0 if it stays.
#[inline(always)]
pub(crate) fn judge(buffer: &SocketBuffer, maps: &Maps) -> (u32, End) {
    let frame = Frame::of(buffer);
    match frame.ethertype {
        ETHERTYPE_IPV4 => v4(buffer, maps, &frame),
        ETHERTYPE_IPV6 => v6(buffer, maps, &frame),
        _ => STAYS,
    }
}

const STAYS: (u32, End) = (0, End::NOT_OURS);

#[inline(always)]
fn v4(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> (u32, End) {
    let header: ipv4::Header = buffer.read(frame.l3);
    if header.src == header.dst {
        return STAYS;
    }
    let (addr, vlan) = (header.dst, frame.vlan);
    way(buffer, maps, maps.vip4(&Vip4Key { addr, vlan }))
}

#[inline(always)]
fn v6(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> (u32, End) {
    let header: ipv6::Header = buffer.read(frame.l3);
    if header.src == header.dst {
        return STAYS;
    }
    let (addr, vlan) = (header.dst, frame.vlan);
    way(buffer, maps, maps.vip6(&Vip6Key { addr, vlan }))
}

/// A node that claims a group takes what reaches it, since the owner may have let go already; what it sent to the
/// owner then would come back to it, and end there.
#[inline(always)]
fn way(buffer: &SocketBuffer, maps: &Maps, vip: Option<&Vip>) -> (u32, End) {
    let Some(&Vip { group, .. }) = vip else {
        return STAYS;
    };
    let served = Served::read(maps, group);
    let ifindex = match served.standing {
        Standing::Active | Standing::Claiming => 0,
        Standing::Backup | Standing::Fenced(_) if served.is_used() => served.group.ifindex,
        Standing::Backup | Standing::Fenced(_) => 0,
    };
    if ifindex == 0 {
        return STAYS;
    }
    let end = End {
        reason: Some(Reason::LocalClient),
        group,
        len: buffer.len(),
    };
    (ifindex, end)
}
