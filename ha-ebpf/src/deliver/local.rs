//! Delivery to the local stack, on the node that has the group.

use ha_common::{
    abi::{DELIVER_LOCAL, GROUP_VIRTUAL_MAC, Group},
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

/// Hands a packet to the stack.
///
/// The stack takes what is addressed to the interface's own MAC, so a virtual MAC is replaced by it.
/// A packet that came in on another interface was addressed to that one's MAC and is left as it is
/// (the weak host model, RFC 1122 section 3.3.4.2).
#[inline(always)]
pub(crate) fn deliver<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    ip: &H,
    group: &Group,
) -> Reason {
    let slot = hit.vip.deliver;
    if slot != 0 && maps.deliver(slot).is_none_or(|to| to.kind != DELIVER_LOCAL) {
        return Reason::DeliverUnknown;
    }
    if !hit.is_at_home(group) {
        return Reason::DeliveredLocal;
    }
    if is_detour(maps, hit, group) {
        events::about(maps, hit, Topic::Detour, hit.vip.group, ip.source());
    }
    if hit.dst != group.nic
        && let Some(header) = packet.get_mut::<eth::Header>(0)
    {
        header.dst = group.nic;
    }
    Reason::DeliveredLocal
}

/// Whether the sender had not heard where the group is. With a virtual MAC a look at the frame tells; a
/// group with the NIC's own pays a lookup for it.
#[inline(always)]
fn is_detour(maps: &Maps, hit: &Hit, group: &Group) -> bool {
    if group.flags & GROUP_VIRTUAL_MAC != 0 {
        hit.dst == group.nic
    } else {
        maps.is_peer(&hit.src)
    }
}
