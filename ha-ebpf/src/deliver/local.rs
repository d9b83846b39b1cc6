//! Delivery to the local stack, on the node that has the group.

use ha_common::{abi::Group, reason::Reason, wire::eth};

use crate::{frame::Hit, packet::Packet};

/// Hands a packet to the stack.
///
/// The stack takes what is addressed to the interface's own MAC, so a virtual MAC is replaced by it.
/// A packet that came in on another interface was addressed to that one's MAC and is left as it is
/// (the weak host model, RFC 1122 section 3.3.4.2).
#[inline(always)]
pub(super) fn deliver(packet: &mut Packet, hit: &Hit, group: &Group) -> Reason {
    if hit.is_at_home(group)
        && hit.dst != group.nic
        && let Some(header) = packet.get_mut::<eth::Header>(0)
    {
        header.dst = group.nic;
    }
    Reason::DeliveredLocal
}
