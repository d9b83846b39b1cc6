//! Stale traffic: packets for a group that reach a node which is not Active for it.
//!
//! Clients and switches go on using the former owner's MAC until they have heard of the new one.
//! What they send in that time is sent on to the Active peer's NIC. This extends RFC 9568, which has
//! a Backup discard it (section 6.4.2); a group can be configured to do just that.

use ha_common::{
    abi::{GROUP_STALE_DROP, Group, Mac, Peer},
    fence::Standing,
    reason::Reason,
    wire::eth,
};

use crate::{
    events::{self, Topic},
    fence::Served,
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
    served: &Served,
) -> Reason {
    let Served { group, standing } = served;
    if let Err(reason) = may_go_on(maps, hit, group, *standing) {
        return reason;
    }
    let to = match address(maps, hit, group) {
        Ok(to) => to,
        Err(reason) => return reason,
    };
    // A loop between nodes that each believe the other to be Active ends here.
    if let Err(reason) = ip.may_age(packet, hit.l3) {
        return reason;
    }
    if !send(packet, hit, ip, group, to) {
        return Reason::IpMalformed;
    }
    let topic = Topic::StaleSender;
    events::about(maps, hit, topic, hit.vip.group, ip.source());
    Reason::ForwardedPeer
}

/// Hands a packet that is in order on to the peer that is about to be Active; returns whether it can be.
#[inline(always)]
pub(crate) fn hand_on<H: Header>(
    packet: &mut Packet,
    maps: &Maps,
    hit: &Hit,
    ip: &H,
    group: &Group,
) -> bool {
    address(maps, hit, group).is_ok_and(|to| send(packet, hit, ip, group, to))
}

/// The MAC of the peer in the role word.
#[inline(always)]
fn address(maps: &Maps, hit: &Hit, group: &Group) -> Result<Mac, Reason> {
    let Some(&Peer { mac, ifindex, .. }) = maps.peer(u32::from(group.word.peer)) else {
        return Err(Reason::PeerUnset);
    };
    if !mac.is_station() {
        return Err(Reason::PeerUnset);
    }
    if ifindex != hit.ifindex {
        return Err(Reason::PeerElsewhere);
    }
    Ok(mac)
}

/// Addresses a packet to `to`, one hop further.
#[inline(always)]
fn send<H: Header>(packet: &mut Packet, hit: &Hit, ip: &H, group: &Group, to: Mac) -> bool {
    if !ip.age(packet, hit.l3) {
        return false;
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return false;
    };
    header.dst = to;
    header.src = group.nic;
    true
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
