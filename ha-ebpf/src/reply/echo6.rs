//! ICMPv6 echo (RFC 4443 section 4): the request's frame becomes the reply's.

use ha_common::{
    reason::Reason,
    wire::{checksum, icmp, ipv6},
};

use super::echo::{TTL, turn_around};
use crate::{
    frame::Frame,
    packet::{Packet, Then},
};

/// Answers a request that [`crate::steer::Header::is_echo_request`] found.
///
/// The sum over the pseudo-header stays what it was, since the addresses only change places. The
/// checksum is updated, not made anew, as in [`super::echo::answer`].
#[inline(always)]
pub(crate) fn answer(packet: &mut Packet, frame: &Frame, header: &ipv6::Header) -> Reason {
    if !ipv6::is_host(header.src) || header.src == header.dst || !frame.src.is_station() {
        return Reason::EchoSource;
    }
    let Some(Then(ip, echo)) = packet.get_mut::<Then<ipv6::Header, icmp::Echo>>(frame.l3) else {
        return Reason::IpMalformed;
    };
    ip.src = header.dst;
    ip.dst = header.src;
    ip.hop_limit = TTL;
    let reply = [icmp::V6_ECHO_REPLY, 0];
    echo.checksum = checksum::update(echo.checksum, echo.kind, reply);
    echo.kind = reply;
    turn_around(packet, frame)
}
