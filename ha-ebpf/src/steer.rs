//! IP packets to a virtual IP: answered, delivered, sent on to the Active peer, or dropped.

pub(crate) mod v4;
mod v6;

use ha_common::{
    abi::{Group, Mac},
    fence::Standing,
    reason::Reason,
};

use crate::{
    deliver,
    fence::Served,
    frame::{Addressed, Hit},
    maps::Maps,
    packet::{Packet, Wire},
    settle,
};

/// What the two versions of IP do differently.
pub(crate) trait Header: Wire {
    /// The EtherType of its packets.
    const ETHERTYPE: u16;

    /// The MAC with which a group answers for this version's addresses.
    fn mac(group: &Group) -> Mac;

    /// The destination, v4 as v4-mapped v6.
    fn destination(&self) -> [u8; 16];

    /// The source, v4 as v4-mapped v6.
    fn source(&self) -> [u8; 16];

    /// Whether version and lengths agree with each other and with the `room` octets that the frame
    /// has for header and payload.
    fn is_well_formed(&self, room: usize) -> bool;

    /// Whether this is an echo request that can be answered in place: whole, without IP options or
    /// extension headers.
    fn is_echo_request(&self, packet: &Packet, hit: &Hit) -> bool;

    /// Turns an echo request into its reply.
    fn answer_echo(&self, packet: &mut Packet, hit: &Hit) -> Reason;

    /// Whether it begins something, or needs nothing that was begun here.
    fn is_new(&self, packet: &Packet, maps: &Maps, l3: usize) -> bool;

    /// Whether the packet at `l3` is in order and has a hop left, so that a router would send it on.
    fn may_age(&self, packet: &Packet, l3: usize) -> Result<(), Reason>;

    /// Takes one hop off the packet at `l3`; `false` if it is not all there.
    fn age(&self, packet: &mut Packet, l3: usize) -> bool;
}

/// Takes a packet whose destination is a virtual IP.
#[inline(always)]
pub(crate) fn steer<H: Header>(packet: &mut Packet, maps: &mut Maps, hit: &Hit) -> Reason {
    let served = Served::read(maps, hit.vip.group);
    if !served.is_used() {
        return Reason::GroupUnused;
    }
    let Served { group, standing } = &served;
    match hit.addressed(H::mac(group), group) {
        Addressed::Many => return Reason::LinkMulticast,
        Addressed::Other if hit.is_at_home(group) && !deliver::guest::is_addressed(maps, hit) => {
            return Reason::ForeignMac;
        }
        Addressed::Us | Addressed::Other => {}
    }
    let Some(&header) = packet.get::<H>(hit.l3) else {
        return Reason::IpMalformed;
    };
    if !header.is_well_formed(hit.len - hit.l3) {
        return Reason::IpMalformed;
    }
    match standing {
        Standing::Active | Standing::Claiming => {
            // The reply to an echo goes back to the MAC it came from. That is wrong for one that a
            // peer has sent on: the stack answers it, which knows the way.
            if hit.is_at_home(group)
                && header.is_echo_request(packet, hit)
                && !maps.is_peer(&hit.src)
            {
                return header.answer_echo(packet, hit);
            }
            // Nothing is lost because the heir cannot be reached.
            if settle::goes_on::<H>(packet, maps, hit, &served)
                && deliver::peer::hand_on(packet, maps, hit, &header, group)
            {
                return Reason::NewWorkForwarded;
            }
            deliver::deliver(packet, maps, hit, &header, group)
        }
        Standing::Backup | Standing::Fenced(_) => {
            deliver::peer::forward(packet, maps, hit, &header, &served)
        }
    }
}
