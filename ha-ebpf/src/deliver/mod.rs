//! Where a virtual IP's packets go that are not answered here.

pub(crate) mod guest;
mod local;
pub(crate) mod peer;

use ha_common::{
    abi::{DELIVER_GUEST, DELIVER_LOCAL, GROUP_VIRTUAL_MAC, Group},
    reason::Reason,
};

use crate::{
    events::{self, Topic},
    frame::Hit,
    maps::Maps,
    packet::Packet,
    steer::Header,
};

/// The slot of `ha_deliver` that need not be looked up.
const LOCAL_STACK: u32 = 0;

/// Hands a packet to whom the node serves it for.
#[inline(always)]
pub(crate) fn deliver<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    ip: &H,
    group: &Group,
) -> Reason {
    if hit.is_at_home(group) && is_detour(maps, hit, group) {
        events::about(maps, hit, Topic::Detour, hit.vip.group, ip.source());
    }
    if hit.vip.deliver == LOCAL_STACK {
        return local::deliver(packet, hit, group);
    }
    let Some(&to) = maps.deliver(hit.vip.deliver) else {
        return Reason::DeliverUnknown;
    };
    match to.kind {
        DELIVER_LOCAL => local::deliver(packet, hit, group),
        DELIVER_GUEST => guest::deliver::<H>(packet, maps, hit, group, &to),
        _ => Reason::DeliverUnknown,
    }
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
