//! IP packets to a virtual IP: answered, delivered, sent on to the Active peer, or dropped.

pub(crate) mod v4;
mod v6;

use ha_common::{
    abi::{Group, Mac, Vip},
    fence::Standing,
    reason::Reason,
};

use crate::{
    End, deliver,
    fence::Served,
    frame::{Addressed, Frame},
    maps::Maps,
    packet::Packet,
};

/// What the two versions of IP do differently.
pub(crate) trait Header {
    /// The MAC with which a group answers for this version's addresses.
    fn mac(group: &Group) -> Mac;

    /// The destination, v4 as v4-mapped v6.
    fn destination(&self) -> [u8; 16];

    /// Whether version and lengths agree with each other and with the `room` octets that the frame
    /// has for header and payload.
    fn is_well_formed(&self, room: usize) -> bool;

    /// Whether this is an echo request that can be answered in place: whole, without IP options or
    /// extension headers.
    fn is_echo_request(&self, packet: &Packet, l3: usize) -> bool;

    /// Turns an echo request into its reply.
    fn answer_echo(&self, packet: &mut Packet, frame: &Frame) -> Reason;

    /// Takes one hop off, as a router does.
    fn age(&self, packet: &mut Packet, l3: usize) -> Result<(), Reason>;
}

/// Takes a packet whose destination is a virtual IP.
#[inline(always)]
pub(crate) fn handle<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    header: &H,
    vip: Vip,
) -> End {
    let len = packet.len();
    let reason = steer(packet, maps, frame, header, vip, len);
    End {
        group: vip.group,
        reason,
        len,
    }
}

#[inline(always)]
fn steer<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    header: &H,
    vip: Vip,
    len: usize,
) -> Reason {
    let Some(served) = Served::read(maps, vip.group) else {
        return Reason::GroupUnused;
    };
    // Only of the interface on which the group is served are the MACs known.
    let at_home = packet.ifindex() == served.group.ifindex;
    match frame.addressed(H::mac(&served.group), &served.group) {
        Addressed::Many => return Reason::LinkMulticast,
        Addressed::Other if at_home => return Reason::ForeignMac,
        Addressed::Us | Addressed::Other => {}
    }
    if !header.is_well_formed(len - frame.l3) {
        return Reason::IpMalformed;
    }
    match served.standing {
        Standing::Active | Standing::Claiming => {
            // The reply to an echo goes back to the MAC it came from. That is wrong for one that a
            // peer has sent on: the stack answers it, which knows the way.
            if at_home
                && header.is_echo_request(packet, frame.l3)
                && maps.peer_of(&frame.src).is_none()
            {
                header.answer_echo(packet, frame)
            } else {
                deliver::local::deliver(packet, maps, frame, &served.group, vip, at_home)
            }
        }
        Standing::Backup | Standing::Fenced(_) => {
            deliver::peer::forward(packet, maps, frame, header, &served, vip, at_home)
        }
    }
}
