//! Neighbour discovery (RFC 4861): who has a virtual IP, and who else says that he has.

mod check;

use core::mem::offset_of;

use ha_common::{
    abi::{GROUP_ROUTER, Group, Mac},
    fence::Standing,
    reason::Reason,
    wire::{checksum::Sum, eth, icmp, ipv6, nd},
};

use crate::{
    events::{self, Topic},
    fence::Served,
    frame::{Addressed, Hit},
    maps::Maps,
    moving::{self, Question},
    packet::{Packet, Then},
};

/// A solicitation or an advertisement, as it follows the Ethernet header.
pub(crate) type Heard = Then<ipv6::Header, nd::Message>;

/// An answer, as it follows the Ethernet header.
type Answer = Then<Heard, nd::LinkOption>;

/// Octets that follow the IPv6 header of an answer.
const PAYLOAD_LEN: u16 = (size_of::<nd::Message>() + size_of::<nd::LinkOption>()) as u16;

/// Takes a solicitation or an advertisement whose target is a virtual IP.
#[inline(always)]
pub(crate) fn judge(packet: &mut Packet, maps: &mut Maps, hit: &Hit) -> Reason {
    let served = Served::read(maps, hit.vip.group);
    if !served.is_used() {
        return Reason::GroupUnused;
    }
    let group = &served.group;
    let is_at_home = hit.is_at_home(group);
    if is_at_home && hit.addressed(group.mac6, group) == Addressed::Other {
        return Reason::ForeignMac;
    }
    let Some(Then(_, message)) = packet.get::<Heard>(hit.l3) else {
        return Reason::NdMalformed;
    };
    let is_question = message.kind == nd::SOLICITATION;
    if is_question {
        if !is_at_home {
            return Reason::WrongInterface;
        }
        if hit.is_idle_copy(packet, maps) {
            return Reason::IdlePort;
        }
        if let Err(silent) = moving::hear(maps, hit, &served) {
            return silent;
        }
    } else if !is_at_home
        || served.standing != Standing::Active
        || hit.src == group.mac6
        || hit.src == group.nic
    {
        return Reason::AnnouncementSeen;
    }
    let Some(heard) = packet.get::<Heard>(hit.l3) else {
        return Reason::NdMalformed;
    };
    let mut source = Source::of(hit);
    if let Err(reason) = check::message(packet, hit, heard, &mut source) {
        return reason;
    }
    if is_question {
        if !check::is_askable(heard, source) {
            return Reason::NdMalformed;
        }
        let [.., y, z] = heard.0.src;
        let [.., a, b, c, d] = heard.1.target;
        let question = Question {
            asker: source.mac,
            address: [y, z],
            vip: [a, b, c, d],
            is_v6: true,
        };
        if let Err(silent) = moving::admit(packet, maps, hit, &served, question) {
            return silent;
        }
        answer(packet, hit, group, source.mac)
    } else {
        let topic = Topic::ConflictingOwner;
        events::about(maps, hit, topic, hit.vip.group, heard.1.target);
        Reason::ConflictingOwner
    }
}

/// Who sent a message, on the link.
#[derive(Clone, Copy)]
struct Source {
    /// The frame's source, or what the source link-layer address option says: that is what a neighbour
    /// cache would hold (section 7.2.3), and it is from the neighbour itself, while the frame's source
    /// may be a bridge's on the way.
    mac: Mac,
    /// Whether there is such an option.
    is_option: bool,
}

impl Source {
    #[inline(always)]
    fn of(hit: &Hit) -> Self {
        Self {
            mac: hit.src,
            is_option: false,
        }
    }
}

/// Advertises the target with the group's MAC (section 7.2.4).
#[inline(always)]
fn answer(packet: &mut Packet, hit: &Hit, group: &Group, asker: Mac) -> Reason {
    if !packet.resize(hit.l3 + size_of::<Answer>()) {
        return Reason::NdNoRoom;
    }
    let Some(Then(Then(ip, message), option)) = packet.get_mut::<Answer>(hit.l3) else {
        return Reason::NdNoRoom;
    };
    let mut flags = nd::FLAG_OVERRIDE;
    if group.flags & GROUP_ROUTER != 0 {
        flags |= nd::FLAG_ROUTER;
    }
    // Who has no address yet (duplicate address detection) can be told only together with all.
    let mac = if ip.src == ipv6::UNSPECIFIED {
        // As a number it is part of the instructions; as octets it would be a map of its own.
        ip.dst = u128::from_be_bytes(nd::ALL_NODES).to_be_bytes();
        nd::ALL_NODES_MAC
    } else {
        ip.dst = ip.src;
        flags |= nd::FLAG_SOLICITED;
        asker
    };
    ip.version_class_flow = [ipv6::VERSION << 4, 0, 0, 0];
    ip.payload_length = PAYLOAD_LEN.to_be_bytes();
    ip.hop_limit = nd::HOP_LIMIT;
    ip.src = message.target;
    message.kind = nd::ADVERTISEMENT;
    message.checksum = [0; 2];
    message.flags = [flags, 0, 0, 0];
    *option = nd::LinkOption {
        kind: nd::OPTION_TARGET_LINK,
        units: 1,
        mac: group.mac6,
    };
    let sum = sum::<ANSWER_WORDS>(packet, hit.l3, PAYLOAD_LEN.to_be_bytes());
    let Some(Then(_, message)) = packet.get_mut::<Heard>(hit.l3) else {
        return Reason::NdNoRoom;
    };
    message.checksum = sum.checksum();
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::NdNoRoom;
    };
    header.dst = mac;
    header.src = group.mac6;
    Reason::NdAnswered
}

/// Words of a message and the two addresses before it.
const HEARD_WORDS: usize = (size_of::<Heard>() - offset_of!(ipv6::Header, src)) / 2;
/// The same of an answer.
const ANSWER_WORDS: usize = (size_of::<Answer>() - offset_of!(ipv6::Header, src)) / 2;

/// The sum over the pseudo-header (RFC 8200 section 8.1) and what follows it, which is the addresses
/// and the message: `WORDS` in a row. Of what is not there, which both callers have seen to, nothing
/// is added.
#[inline(always)]
fn sum<const WORDS: usize>(packet: &Packet, l3: usize, payload_length: [u8; 2]) -> Sum {
    let sum = Sum::ZERO.add(payload_length).add([0, icmp::PROTOCOL_V6]);
    match packet.get::<[u16; WORDS]>(l3 + offset_of!(ipv6::Header, src)) {
        Some(words) => sum.add_words(words),
        None => sum,
    }
}
