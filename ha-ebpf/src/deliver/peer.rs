//! Stale traffic: packets for a group that reach a node which is not Active for it.
//!
//! Clients and switches go on using the former owner's MAC until they have heard of the new one.
//! What they send in that time is sent on to the Active peer's NIC. This extends RFC 9568, which has
//! a Backup discard it (section 6.4.2); a group can be configured to do just that.

use ha_common::{
    abi::{GROUP_STALE_DROP, Group, Mac},
    fence::Standing,
    reason::Reason,
    wire::eth,
};

use crate::{
    events::{self, Topic},
    frame::Hit,
    maps::Maps,
    packet::Packet,
    steer::Header,
};

/// Sends a packet on to the Active peer.
#[inline(always)]
pub(crate) fn forward<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    ip: &H,
    group: &Group,
    standing: Standing,
) -> Reason {
    let peer = match next_hop(maps, hit, group, standing) {
        Ok(mac) => mac,
        Err(reason) => return reason,
    };
    // A loop between nodes that each believe the other to be Active ends here.
    if let Err(reason) = ip.age(packet, hit) {
        return reason;
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = peer;
    header.src = group.nic;
    events::about(
        maps,
        hit,
        Topic::StaleSender,
        hit.vip.group,
        ip.destination(),
    );
    Reason::ForwardedPeer
}

/// The Active peer's MAC, or why there is none to send to.
#[inline(always)]
fn next_hop(maps: &Maps, hit: &Hit, group: &Group, standing: Standing) -> Result<Mac, Reason> {
    if !hit.is_at_home(group) {
        return Err(Reason::WrongInterface);
    }
    if group.flags & GROUP_STALE_DROP != 0 {
        return Err(Reason::StaleRefused);
    }
    let slot = u32::from(group.word.peer);
    if slot == 0 {
        return Err(match standing {
            Standing::Fenced(_) => Reason::Fenced,
            Standing::Active | Standing::Claiming | Standing::Backup => Reason::NoPeer,
        });
    }
    if maps.peer_of(&hit.src).is_some() {
        return Err(Reason::SplitHorizon);
    }
    let Some(peer) = maps.peer(slot).filter(|peer| peer.mac.is_station()) else {
        return Err(Reason::PeerUnset);
    };
    if peer.ifindex != hit.ifindex {
        return Err(Reason::PeerElsewhere);
    }
    Ok(peer.mac)
}
