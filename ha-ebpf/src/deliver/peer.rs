//! Stale traffic: packets for a group that reach a node which is not Active for it.
//!
//! Clients and switches go on using the former owner's MAC until they have heard of the new one.
//! What they send in that time is sent on to the Active peer's NIC. This extends RFC 9568, which has
//! a Backup discard it (section 6.4.2); a group can be configured to do just that.

use ha_common::{
    abi::{GROUP_STALE_DROP, Group, Peer},
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
    if let Err(reason) = may_go_on(maps, hit, group, standing) {
        return reason;
    }
    let Some(&Peer { mac, ifindex, .. }) = maps.peer(u32::from(group.word.peer)) else {
        return Reason::PeerUnset;
    };
    if !mac.is_station() {
        return Reason::PeerUnset;
    }
    if ifindex != hit.ifindex {
        return Reason::PeerElsewhere;
    }
    // A loop between nodes that each believe the other to be Active ends here.
    if let Err(reason) = ip.age(packet, hit.l3) {
        return reason;
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = mac;
    header.src = group.nic;
    let topic = Topic::StaleSender;
    events::about(maps, hit, topic, hit.vip.group, ip.destination());
    Reason::ForwardedPeer
}

/// Whether stale traffic is to be sent on at all, and to whom is known.
#[inline(always)]
fn may_go_on(maps: &Maps, hit: &Hit, group: &Group, standing: Standing) -> Result<(), Reason> {
    if !hit.is_at_home(group) {
        return Err(Reason::WrongInterface);
    }
    if group.flags & GROUP_STALE_DROP != 0 {
        return Err(Reason::StaleRefused);
    }
    if group.word.peer == 0 {
        return Err(match standing {
            Standing::Fenced(_) => Reason::Fenced,
            Standing::Active | Standing::Claiming | Standing::Backup => Reason::NoPeer,
        });
    }
    if maps.is_peer(&hit.src) {
        return Err(Reason::SplitHorizon);
    }
    Ok(())
}
