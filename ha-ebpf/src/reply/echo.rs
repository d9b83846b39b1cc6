//! ICMP echo (RFC 792): the request's frame becomes the reply's, its payload untouched.

use ha_common::{
    reason::Reason,
    wire::{
        checksum::{self, Sum},
        eth, icmp, ipv4,
    },
};

use crate::{
    frame::Frame,
    packet::{Packet, Then},
    steer::v4::set_ttl,
};

/// TTL of a reply (RFC 1340 "Assigned Numbers", which RFC 1122 section 3.2.1.7 refers to).
pub(super) const TTL: u8 = 64;

/// Answers a request that [`crate::steer::Header::is_echo_request`] found.
///
/// The ICMP checksum is updated, not made anew: if the payload was damaged on its way here, the
/// checksum of the reply is wrong by as much, and the sender sees it.
#[inline(always)]
pub(crate) fn answer(packet: &mut Packet, frame: &Frame, header: &ipv4::Header) -> Reason {
    if !sum(header).is_valid() {
        return Reason::IpChecksum;
    }
    if !ipv4::is_host(header.src) || header.src == header.dst || !frame.src.is_station() {
        return Reason::EchoSource;
    }
    let Some(Then(ip, echo)) = packet.get_mut::<Then<ipv4::Header, icmp::Echo>>(frame.l3) else {
        return Reason::IpMalformed;
    };
    ip.src = header.dst;
    ip.dst = header.src;
    set_ttl(ip, TTL);
    let reply = [icmp::V4_ECHO_REPLY, 0];
    echo.checksum = checksum::update(echo.checksum, echo.kind, reply);
    echo.kind = reply;
    turn_around(packet, frame)
}

/// The sum over a header without options.
#[inline(always)]
fn sum(header: &ipv4::Header) -> Sum {
    Sum::ZERO
        .add(&[header.version_length, header.tos])
        .add(&header.total_length)
        .add(&header.id)
        .add(&header.fragment)
        .add(&[header.ttl, header.protocol])
        .add(&header.checksum)
        .add(&header.src)
        .add(&header.dst)
}

/// Sends the frame back to where it came from.
#[inline(always)]
pub(super) fn turn_around(packet: &mut Packet, frame: &Frame) -> Reason {
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::IpMalformed;
    };
    header.dst = frame.src;
    header.src = frame.dst;
    Reason::EchoAnswered
}
