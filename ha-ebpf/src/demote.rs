//! VRRP advertisements (RFC 9568): one that outranks this node silences it at once, before the agent has
//! read it, and also if the agent never does.
//!
//! A virtual machine that was paused goes on with a lease that did not lapse, since its clock stood still,
//! while another node has taken over. The first advertisement of that node ends it.
//!
//! The checks are those of section 7.1 and the election's, which reads the same frame afterwards: what
//! it would discard or not give way to must not demote. Cheap ones come first, so that an advertisement
//! that outranks nobody is never summed up. What is odd but valid, with IP options or more addresses
//! than a frame has room for, is left to the election.

mod v4;
mod v6;

use ha_common::{
    abi::{Demotion, ROUTER_UNICAST, Router, RouterKey, RouterPeerKey},
    fence::Standing,
    reason::Reason,
    wire::{
        checksum::Sum,
        ipv6,
        vrrp::{self, Header},
    },
};

use crate::{End, events, fence::Served, frame::Frame, maps::Maps, packet::Packet, steer};

/// The longest advertisement that is summed up: it fills a frame of 1500 octets over IPv6.
const MAX_LEN: usize = 1500 - ipv6::HEADER_LEN;
/// Octets that are summed up at a time.
const CHUNK: usize = 32;
/// Octets that are summed up at a time in the end. All lengths of advertisements are multiples of it.
const STEP: usize = 4;

/// What the two versions of IP do differently as carriers of VRRP.
pub(crate) trait Carrier: steer::Header {
    /// [`RouterKey::ip`].
    const IP: u8;
    /// Octets of the header that is understood.
    const HEADER_LEN: usize;
    /// Octets of an address.
    const ADDRESS_LEN: usize;

    /// Whether the packet is a whole one whose header ends after [`Self::HEADER_LEN`].
    fn is_plain(&self) -> bool;

    fn hop_limit(&self) -> u8;

    /// Octets behind the header, of which [`steer::Header::is_well_formed`] says that they are there.
    fn payload_len(&self) -> usize;

    /// Whether it is addressed to all VRRP routers.
    fn is_to_group(&self) -> bool;

    /// Whether the addresses behind the message's header may be advertised.
    fn has_valid_addresses(packet: &Packet, start: usize) -> bool;

    /// Whether the sum of a message of `len` octets comes out right.
    fn is_intact(&self, message: Sum, version: u8, len: usize) -> bool;
}

/// Takes a packet of protocol 112.
#[inline(always)]
pub(crate) fn judge<H: Carrier>(packet: &Packet, maps: &mut Maps, frame: &Frame) -> End {
    let len = packet.len();
    let Some(ip) = packet.get::<H>(frame.l3) else {
        return End::NOT_OURS;
    };
    if ip.hop_limit() != vrrp::HOP_LIMIT || !ip.is_plain() || !ip.is_well_formed(len - frame.l3) {
        return End::NOT_OURS;
    }
    let Some(&message) = packet.get::<Header>(frame.l3 + H::HEADER_LEN) else {
        return End::NOT_OURS;
    };
    let key = RouterKey {
        ifindex: maps.arrival(packet),
        vlan: frame.vlan,
        ip: H::IP,
        vrid: message.vrid,
        pad: [0; 2],
    };
    let Some(&router) = maps.router(&key) else {
        return End::NOT_OURS;
    };
    let served = Served::read(maps, router.group);
    if !served.is_used() {
        return End::NOT_OURS;
    }
    let Served { group, standing } = served;
    match standing {
        Standing::Active | Standing::Claiming => {}
        Standing::Backup | Standing::Fenced(_) => return End::NOT_OURS,
    }
    // Looked up again: what a call to the kernel lies between is cheaper to read than to keep.
    let Some(ip) = packet.get::<H>(frame.l3) else {
        return End::NOT_OURS;
    };
    let from = ip.source();
    if !router.is_outranked(group.priority, message.priority, from)
        || !concerns(maps, &router, ip)
        || !is_valid(packet, frame, ip, &message, &router)
    {
        return End::NOT_OURS;
    }
    let demoted = Demotion {
        epoch: group.word.epoch,
        priority: u32::from(message.priority),
    };
    maps.set_demoted(router.group, demoted);
    events::demoted(maps, packet, frame, router.group, from);
    End {
        reason: Some(Reason::Demoted),
        group: router.group,
        len,
    }
}

/// Whether an advertisement is from another router that counts, and to those that it should be sent to.
///
/// Among multicast routers, one to this node alone is the answer to a claim of it, and no claim.
#[inline(always)]
fn concerns<H: Carrier>(maps: &Maps, router: &Router, ip: &H) -> bool {
    let addr = ip.source();
    if addr == router.addr {
        return false;
    }
    if router.flags & ROUTER_UNICAST == 0 {
        return ip.is_to_group();
    }
    let group = router.group;
    (ip.is_to_group() || ip.destination() == router.addr)
        && maps.is_router_peer(&RouterPeerKey { group, addr })
}

/// The checks of the message itself.
#[inline(always)]
fn is_valid<H: Carrier>(
    packet: &Packet,
    frame: &Frame,
    ip: &H,
    message: &Header,
    router: &Router,
) -> bool {
    let start = frame.l3 + H::HEADER_LEN;
    let len = len::<H>(message, router.version);
    if message.version() != router.version
        || message.packet_type() != vrrp::TYPE_ADVERTISEMENT
        || message.address_count == 0
        || len > ip.payload_len()
        || !has_interval(message, router)
        || !H::has_valid_addresses(packet, start + Header::LEN)
    {
        return false;
    }
    let mut sum = Sum::ZERO;
    add_to(&mut sum, packet, start, len) && ip.is_intact(sum, router.version, len)
}

/// Octets of an advertisement; version 2 has room for authentication at its end.
#[inline(always)]
fn len<H: Carrier>(message: &Header, version: u8) -> usize {
    let trailer = match version {
        vrrp::VERSION_2 => vrrp::AUTHENTICATION_LEN,
        _ => 0,
    };
    Header::LEN + usize::from(message.address_count) * H::ADDRESS_LEN + trailer
}

/// Version 2 demands that all have the same interval and no authentication; version 3, that there is
/// an interval.
#[inline(always)]
fn has_interval(message: &Header, router: &Router) -> bool {
    match router.version {
        vrrp::VERSION_2 => {
            message.authentication_and_seconds() == (vrrp::NO_AUTHENTICATION, router.seconds)
        }
        _ => message.interval_centiseconds() != 0,
    }
}

/// Adds `len` octets from `start`. Returns whether they are all there, and not too many.
///
/// A function of its own, so that the program has it once. Both loops count by themselves, not by
/// `len`, of which the verifier would otherwise keep another range for each number of rounds.
#[inline(never)]
fn add_to(sum: &mut Sum, packet: &Packet, start: usize, len: usize) -> bool {
    if len > MAX_LEN {
        return false;
    }
    let chunks = len / CHUNK;
    for chunk in 0..MAX_LEN / CHUNK {
        if chunk >= chunks {
            break;
        }
        let Some(words) = packet.get::<[u16; CHUNK / 2]>(start + chunk * CHUNK) else {
            return false;
        };
        *sum = sum.add_words(words);
    }
    let steps = len % CHUNK / STEP;
    let tail = start + chunks * CHUNK;
    for step in 0..CHUNK / STEP {
        if step >= steps {
            break;
        }
        let Some(words) = packet.get::<[u16; STEP / 2]>(tail + step * STEP) else {
            return false;
        };
        *sum = sum.add_words(words);
    }
    true
}

const _: () = {
    assert!(Header::LEN.is_multiple_of(STEP) && vrrp::AUTHENTICATION_LEN.is_multiple_of(STEP));
    assert!(MAX_LEN.is_multiple_of(STEP));
    // All that an IPv4 advertisement can have fits.
    assert!(Header::LEN + 255 * 4 + vrrp::AUTHENTICATION_LEN <= MAX_LEN);
};
