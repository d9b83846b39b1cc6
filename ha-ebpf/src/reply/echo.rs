//! ICMP echo (RFC 792): the request's frame becomes the reply's, its payload untouched.

use ha_common::{
    reason::Reason,
    wire::{checksum, eth, icmp, ipv4},
};

use crate::{
    frame::Hit,
    packet::{Packet, Then},
    steer::v4::{checksum_is_valid, set_ttl},
};

/// TTL of a reply (RFC 1340 "Assigned Numbers", which RFC 1122 section 3.2.1.7 refers to).
pub(super) const TTL: u8 = if cfg!(feature = "variant-program") {
    128
} else {
    64
};

/// Answers a request that [`crate::steer::Header::is_echo_request`] found.
///
/// The ICMP checksum is updated, not made anew: if the payload was damaged on its way here, the
/// checksum of the reply is wrong by as much, and the sender sees it.
#[inline(always)]
pub(crate) fn answer(packet: &mut Packet, hit: &Hit) -> Reason {
    if !checksum_is_valid(packet, hit.l3, ipv4::HEADER_LEN) {
        return Reason::IpChecksum;
    }
    let Some(Then(ip, echo)) = packet.get_mut::<Then<ipv4::Header, icmp::Echo>>(hit.l3) else {
        return Reason::IpMalformed;
    };
    if !ipv4::is_host(ip.src) || ip.src == ip.dst || !hit.src.is_station() {
        return Reason::EchoSource;
    }
    core::mem::swap(&mut ip.src, &mut ip.dst);
    set_ttl(ip, TTL);
    reply_to(echo, [icmp::V4_ECHO_REPLY, 0]);
    turn_around(packet, hit)
}

/// Makes a request a reply of this type and code.
#[inline(always)]
pub(super) fn reply_to(echo: &mut icmp::Echo, kind: [u8; 2]) {
    echo.checksum = checksum::update(echo.checksum, echo.kind, kind);
    echo.kind = kind;
}

/// Sends the frame back to where it came from.
#[inline(always)]
pub(super) fn turn_around(packet: &mut Packet, hit: &Hit) -> Reason {
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = hit.src;
    header.src = hit.dst;
    Reason::EchoAnswered
}
