//! Stale traffic: packets for a group that reach a node which is not Active for it.
//!
//! Clients and switches go on using the former owner's MAC until they have heard of the new one.
//! What they send in that time is sent on to the Active peer's NIC. This extends RFC 9568, which has
//! a Backup discard it (section 6.4.2); a group can be configured to do just that.

use ha_common::{
    abi::{GROUP_STALE_DROP, Mac, Vip},
    fence::Standing,
    reason::Reason,
    wire::eth,
};

use crate::{events, fence::Served, frame::Frame, maps::Maps, packet::Packet, steer::Header};

/// Sends a packet on to the Active peer.
#[inline(always)]
pub(crate) fn forward<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    ip: &H,
    served: &Served,
    vip: Vip,
    at_home: bool,
) -> Reason {
    let peer = match next_hop(packet, maps, frame, served, at_home) {
        Ok(mac) => mac,
        Err(reason) => return reason,
    };
    // A loop between nodes that each believe the other to be Active ends here.
    if let Err(reason) = ip.age(packet, frame.l3) {
        return reason;
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = peer;
    header.src = served.group.nic;
    events::stale_sender(maps, packet, frame, vip.group, ip.destination());
    Reason::ForwardedPeer
}

/// The Active peer's MAC, or why there is none to send to.
#[inline(always)]
fn next_hop(
    packet: &Packet,
    maps: &Maps,
    frame: &Frame,
    served: &Served,
    at_home: bool,
) -> Result<Mac, Reason> {
    if !at_home {
        return Err(Reason::WrongInterface);
    }
    if served.group.flags & GROUP_STALE_DROP != 0 {
        return Err(Reason::StaleRefused);
    }
    let slot = u32::from(served.group.word.peer);
    if slot == 0 {
        return Err(match served.standing {
            Standing::Fenced(_) => Reason::Fenced,
            Standing::Active | Standing::Claiming | Standing::Backup => Reason::NoPeer,
        });
    }
    if maps.peer_of(&frame.src).is_some() {
        return Err(Reason::SplitHorizon);
    }
    let Some(peer) = maps.peer(slot).filter(|peer| peer.mac.is_station()) else {
        return Err(Reason::PeerUnset);
    };
    if peer.ifindex != packet.ifindex() {
        return Err(Reason::PeerElsewhere);
    }
    Ok(peer.mac)
}
