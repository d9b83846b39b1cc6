//! What programs on this host send to a virtual IP: on its way to the Active node, if that is another one.
//!
//! The routes that make virtual IPs local send such packets over the loopback interface, to this host itself.
//! There they are met at the egress hook. Each packet is judged by the words of its moment, so a socket outlives
//! any change of roles, whoever opened it and however it sends.
//!
//! A packet from a virtual IP to itself stays: nobody but the Active node may speak as it, and it is
//! how a program says that it means its own host.
//!
//! The MACs are written here. The kernel's own way from an address to a neighbour begins at the packet's
//! route, and that one leads to this host.

use ha_common::{
    abi::{GROUP_VIRTUAL_MAC, Group, Mac, Vip, Vip4Key, Vip6Key},
    fence::Standing,
    reason::Reason,
    wire::{
        eth::{ETHERTYPE_IPV4, ETHERTYPE_IPV6},
        ipv4, ipv6,
    },
};

use crate::{End, fence::Served, frame::Frame, maps::Maps, packet::SocketBuffer};

/// Where a packet goes that does not stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errand {
    /// The interface out of which it goes; 0 if there is none.
    pub ifindex: u32,
    /// Whom it goes to.
    pub dst: Mac,
    /// The interface's own MAC.
    pub src: Mac,
}

const NONE: Errand = Errand {
    ifindex: 0,
    dst: Mac::ZERO,
    src: Mac::ZERO,
};
const STAYS: (Errand, End) = (NONE, End::NOT_OURS);

/// What becomes of a packet that this host is about to hand to itself. One that stays has no reason.
#[inline(always)]
pub(crate) fn judge(buffer: &SocketBuffer, maps: &Maps) -> (Errand, End) {
    let frame = Frame::of(buffer);
    match frame.ethertype {
        ETHERTYPE_IPV4 => v4(buffer, maps, &frame),
        ETHERTYPE_IPV6 => v6(buffer, maps, &frame),
        _ => STAYS,
    }
}

#[inline(always)]
fn v4(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> (Errand, End) {
    let header: ipv4::Header = buffer.read(frame.l3);
    if header.src == header.dst {
        return STAYS;
    }
    let (addr, vlan) = (header.dst, frame.vlan);
    let vip = maps.vip4(&Vip4Key { addr, vlan });
    away(buffer, maps, vip, |group| group.mac4)
}

#[inline(always)]
fn v6(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> (Errand, End) {
    let header: ipv6::Header = buffer.read(frame.l3);
    if header.src == header.dst {
        return STAYS;
    }
    let (addr, vlan) = (header.dst, frame.vlan);
    let vip = maps.vip6(&Vip6Key { addr, vlan });
    away(buffer, maps, vip, |group| group.mac6)
}

/// A node that claims a group takes what reaches it, since the owner may have let go already; what it sent to the
/// owner then would come back to it, and end there.
#[inline(always)]
fn away(
    buffer: &SocketBuffer,
    maps: &Maps,
    vip: Option<&Vip>,
    mac: impl Fn(&Group) -> Mac,
) -> (Errand, End) {
    let Some(&Vip { group: slot, .. }) = vip else {
        return STAYS;
    };
    let served = Served::read(maps, slot);
    let is_elsewhere = match served.standing {
        Standing::Active | Standing::Claiming => false,
        Standing::Backup | Standing::Fenced(_) => served.is_used(),
    };
    let group = served.group;
    if !is_elsewhere || group.ifindex == 0 {
        return STAYS;
    }
    let dst = if group.flags & GROUP_VIRTUAL_MAC != 0 {
        mac(&group)
    } else {
        let peer = maps.peer(u32::from(group.word.peer));
        let peer = peer.copied().unwrap_or_default();
        if peer.ifindex == group.ifindex {
            peer.mac
        } else {
            Mac::ZERO
        }
    };
    let is_known = dst.is_station();
    let end = End {
        reason: Some(if is_known {
            Reason::LocalClient
        } else {
            Reason::LocalNoPeer
        }),
        group: slot,
        len: buffer.len(),
    };
    let errand = Errand {
        ifindex: if is_known { group.ifindex } else { 0 },
        dst,
        src: group.nic,
    };
    (errand, end)
}
