//! Delivery to a guest of this host: a virtual machine or a container, by its interface on this side.
//!
//! The frame is redirected to that interface, past the host's stack, with the guest's MAC and the tags that the
//! guest expects. Where the kernel cannot redirect, the frame goes on to the bridge, the macvlan or the routes
//! that lead to the guest, and says so in the counters. What can be known beforehand to be lost on the
//! way is dropped here, where it has a reason.

use ha_common::{
    abi::{
        DELIVER_BRIDGED, DELIVER_BUFFERS, DELIVER_REDIRECTED, DELIVER_ROUTED, Deliver, Group, Mac,
        Vlan,
    },
    reason::Reason,
    wire::eth::{self, ETHERTYPE_SERVICE_VLAN, ETHERTYPE_VLAN},
};

use crate::{frame::Hit, maps::Maps, packet::Packet, steer::Header};

/// Octets by which a frame may be longer than the interface's MTU and header (`xdp_ok_fwd_dev`,
/// `net/core/filter.c`: `VLAN_HLEN`).
const SLACK: usize = size_of::<eth::Tag>();

/// Whether a frame is addressed to the guest itself. Neighbours learn its MAC from its own ARP and neighbour
/// discovery, and then use it rather than the group's.
#[inline(always)]
pub(crate) fn is_addressed(maps: &Maps, hit: &Hit) -> bool {
    let slot = hit.vip.deliver;
    slot != 0 && maps.deliver(slot).is_some_and(|to| to.mac == hit.dst)
}

/// Hands a packet to the guest.
#[inline(always)]
pub(super) fn deliver<H: Header>(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    group: &Group,
    to: &Deliver,
) -> Reason {
    if !hit.is_at_home(group) {
        return Reason::GuestElsewhere;
    }
    let is_redirected = to.flags & DELIVER_REDIRECTED != 0;
    if is_redirected && (to.flags & DELIVER_BUFFERS != 0 || packet.is_whole()) {
        return redirect::<H>(packet, maps, hit, to);
    }
    if to.flags & DELIVER_BRIDGED != 0 {
        return pass(packet, to.mac, Reason::DeliveredBridge);
    }
    if to.flags & DELIVER_ROUTED != 0 {
        return pass(packet, group.nic, Reason::DeliveredRoute);
    }
    Reason::GuestGone
}

/// Tags are left as they came: the bridge has its own rules for them.
#[inline(always)]
fn pass(packet: &mut Packet, mac: Mac, reason: Reason) -> Reason {
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = mac;
    reason
}

#[inline(always)]
fn redirect<H: Header>(packet: &mut Packet, maps: &mut Maps, hit: &Hit, to: &Deliver) -> Reason {
    let (old, new) = (hit.l3, start_of_ip(hit, to.vlan));
    // The kernel would drop it later, and not say why.
    if hit.len - old + new > to.max_len as usize + SLACK {
        return Reason::GuestTooLong;
    }
    if !maps.redirect(hit.vip.deliver) {
        return Reason::GuestGone;
    }
    if hit.vlan == to.vlan {
        return pass(packet, to.mac, Reason::DeliveredGuest);
    }
    if !packet.move_start(old as i32 - new as i32) {
        return Reason::GuestTooLong;
    }
    match put_header(packet, hit.src, to, H::ETHERTYPE) {
        Some(()) => Reason::DeliveredGuest,
        None => Reason::IpMalformed,
    }
}

/// Where the IP header is when the frame has the tags that the guest expects. A tag that only carries a priority
/// stays.
#[inline(always)]
fn start_of_ip(hit: &Hit, vlan: Vlan) -> usize {
    if hit.vlan == vlan {
        return hit.l3;
    }
    size_of::<eth::Header>() + size_of::<eth::Tag>() * tags(vlan)
}

#[inline(always)]
fn tags(vlan: Vlan) -> usize {
    usize::from(vlan.outer != 0) + usize::from(vlan.inner != 0)
}

/// Writes the Ethernet header and its tags anew. Their priority is not kept.
#[inline(always)]
fn put_header(packet: &mut Packet, src: Mac, to: &Deliver, ethertype: u16) -> Option<()> {
    const FIRST: usize = size_of::<eth::Header>();
    const SECOND: usize = FIRST + size_of::<eth::Tag>();
    let Vlan { outer, inner } = to.vlan;
    // IEEE 802.1ad: the outer one of two is the provider's.
    let behind_header = match (outer, inner) {
        (0, _) => ethertype,
        (_, 0) => ETHERTYPE_VLAN,
        (_, _) => ETHERTYPE_SERVICE_VLAN,
    };
    let header = packet.get_mut::<eth::Header>(0)?;
    header.dst = to.mac;
    header.src = src;
    header.ethertype = behind_header.to_be_bytes();
    if outer == 0 {
        return Some(());
    }
    let behind_outer = if inner == 0 {
        ethertype
    } else {
        ETHERTYPE_VLAN
    };
    let tag = packet.get_mut::<eth::Tag>(FIRST)?;
    tag.control = outer.to_be_bytes();
    tag.ethertype = behind_outer.to_be_bytes();
    if inner == 0 {
        return Some(());
    }
    let tag = packet.get_mut::<eth::Tag>(SECOND)?;
    tag.control = inner.to_be_bytes();
    tag.ethertype = ethertype.to_be_bytes();
    Some(())
}
