//! Neighbour discovery (RFC 4861): who has a virtual IP, and who else says that he has.

mod check;

use ha_common::{
    abi::{GROUP_ROUTER, Group, Mac, Vip},
    fence::Standing,
    reason::Reason,
    wire::{eth, icmp, ipv6, nd},
};

use crate::{
    End, events,
    fence::Served,
    frame::{Addressed, Frame},
    maps::Maps,
    packet::{Packet, Then},
};

/// A solicitation or an advertisement: what every file here looks at.
pub(crate) struct Heard {
    pub(crate) ip: ipv6::Header,
    pub(crate) message: nd::Message,
}

/// An answer, as it follows the Ethernet header.
type Answer = Then<ipv6::Header, Then<nd::Message, nd::LinkOption>>;

/// Takes a message whose target is a virtual IP.
#[inline(always)]
pub(crate) fn handle(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    heard: &Heard,
    vip: Vip,
) -> End {
    let len = packet.len();
    let reason = judge(packet, maps, frame, heard, vip, len);
    End {
        group: vip.group,
        reason,
        len,
    }
}

#[inline(always)]
fn judge(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    heard: &Heard,
    vip: Vip,
    len: usize,
) -> Reason {
    let Some(served) = Served::read(maps, vip.group) else {
        return Reason::GroupUnused;
    };
    let group = &served.group;
    let at_home = packet.ifindex() == group.ifindex;
    if at_home && frame.addressed(group.mac6, group) == Addressed::Other {
        return Reason::ForeignMac;
    }
    if heard.message.kind == nd::SOLICITATION {
        return solicitation(packet, frame, heard, &served, at_home, len);
    }
    let is_ours = frame.src == group.mac6 || frame.src == group.nic;
    if is_ours || !at_home || served.standing != Standing::Active {
        return Reason::AnnouncementSeen;
    }
    if let Err(reason) = check::message(packet, frame, heard, len) {
        return reason;
    }
    events::conflicting_owner(maps, packet, frame, vip.group, heard.message.target);
    Reason::ConflictingOwner
}

#[inline(always)]
fn solicitation(
    packet: &mut Packet,
    frame: &Frame,
    heard: &Heard,
    served: &Served,
    at_home: bool,
    len: usize,
) -> Reason {
    if !at_home {
        return Reason::WrongInterface;
    }
    if let Err(silent) = served.may_answer() {
        return silent;
    }
    match check::solicitation(packet, frame, heard, len) {
        Ok(source_link) => answer(packet, frame, heard, &served.group, source_link),
        Err(reason) => reason,
    }
}

/// Advertises the target with the group's MAC (section 7.2.4).
#[inline(always)]
fn answer(
    packet: &mut Packet,
    frame: &Frame,
    heard: &Heard,
    group: &Group,
    source_link: Option<Mac>,
) -> Reason {
    let mut flags = nd::FLAG_OVERRIDE;
    if group.flags & GROUP_ROUTER != 0 {
        flags |= nd::FLAG_ROUTER;
    }
    // Who has no address yet (duplicate address detection) can be told only together with all.
    let (mac, addr) = if heard.ip.src == ipv6::UNSPECIFIED {
        (nd::ALL_NODES_MAC, nd::ALL_NODES)
    } else {
        flags |= nd::FLAG_SOLICITED;
        // The option is what a neighbour cache would hold (section 7.2.3), and it is from the
        // neighbour itself; the frame's source may be a bridge's on the way.
        (source_link.unwrap_or(frame.src), heard.ip.src)
    };
    let reply = advertisement(heard.message.target, addr, flags, group.mac6);
    if !packet.resize(frame.l3 + size_of::<Answer>()) {
        return Reason::NdNoRoom;
    }
    let Some(body) = packet.get_mut::<Answer>(frame.l3) else {
        return Reason::NdNoRoom;
    };
    *body = reply;
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::NdNoRoom;
    };
    header.dst = mac;
    header.src = group.mac6;
    Reason::NdAnswered
}

#[inline(always)]
fn advertisement(target: [u8; 16], dst: [u8; 16], flags: u8, mac: Mac) -> Answer {
    const PAYLOAD_LEN: u16 = (size_of::<nd::Message>() + size_of::<nd::LinkOption>()) as u16;
    let ip = ipv6::Header {
        version_class_flow: [ipv6::VERSION << 4, 0, 0, 0],
        payload_length: PAYLOAD_LEN.to_be_bytes(),
        next_header: icmp::PROTOCOL_V6,
        hop_limit: nd::HOP_LIMIT,
        src: target,
        dst,
    };
    let option = nd::LinkOption {
        kind: nd::OPTION_TARGET_LINK,
        units: 1,
        mac,
    };
    let mut message = nd::Message {
        kind: nd::ADVERTISEMENT,
        code: 0,
        checksum: [0; 2],
        flags: [flags, 0, 0, 0],
        target,
    };
    message.checksum = ip
        .pseudo_header()
        .add(&[message.kind, message.code])
        .add(&message.flags)
        .add(&message.target)
        .add(&[option.kind, option.units])
        .add(&option.mac.0)
        .checksum();
    Then(ip, Then(message, option))
}
