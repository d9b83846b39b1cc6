//! ICMPv6 echo (RFC 4443 section 4): the request's frame becomes the reply's.

use ha_common::{
    reason::Reason,
    wire::{icmp, ipv6},
};

use super::echo::{TTL, reply_to, turn_around};
use crate::{
    frame::Hit,
    packet::{Packet, Then},
};

/// Answers a request that [`crate::steer::Header::is_echo_request`] found.
///
/// The sum over the pseudo-header stays what it was, since the addresses only change places.
#[inline(always)]
pub(crate) fn answer(packet: &mut Packet, hit: &Hit) -> Reason {
    let Some(Then(ip, echo)) = packet.get_mut::<Then<ipv6::Header, icmp::Echo>>(hit.l3) else {
        return Reason::IpMalformed;
    };
    if !ipv6::is_host(ip.src) || ip.src == ip.dst || !hit.src.is_station() {
        return Reason::EchoSource;
    }
    core::mem::swap(&mut ip.src, &mut ip.dst);
    ip.hop_limit = TTL;
    reply_to(echo, [icmp::V6_ECHO_REPLY, 0]);
    turn_around(packet, hit)
}
