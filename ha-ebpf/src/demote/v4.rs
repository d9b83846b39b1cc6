//! What is particular to IPv4.

use ha_common::{
    abi::ROUTER_V4,
    wire::{checksum::Sum, ipv4, vrrp},
};

use super::Carrier;
use crate::packet::Packet;

impl Carrier for ipv4::Header {
    const IP: u8 = ROUTER_V4;
    const HEADER_LEN: usize = ipv4::HEADER_LEN;
    const ADDRESS_LEN: usize = 4;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.header_len() == ipv4::HEADER_LEN && !self.is_fragment()
    }

    #[inline(always)]
    fn hop_limit(&self) -> u8 {
        self.ttl
    }

    #[inline(always)]
    fn payload_len(&self) -> usize {
        self.total_len() - ipv4::HEADER_LEN
    }

    #[inline(always)]
    fn is_to_group(&self) -> bool {
        self.dst == vrrp::MULTICAST4
    }

    #[inline(always)]
    fn has_valid_addresses(_: &Packet, _: usize) -> bool {
        true
    }

    /// Version 3 covers the message alone (RFC 9568 section 5.2.8), or a pseudo-header too, as
    /// RFC 5798 was widely read; version 2 never does (RFC 3768 section 5.3.8).
    #[inline(always)]
    fn is_intact(&self, message: Sum, version: u8, len: usize) -> bool {
        let [[a, b, c, d], [e, f, g, h]] = [self.src, self.dst];
        let with_pseudo_header = message
            .add([a, b])
            .add([c, d])
            .add([e, f])
            .add([g, h])
            .add((len as u16).to_be_bytes())
            .add([0, vrrp::PROTOCOL]);
        message.is_valid() || (version == vrrp::VERSION && with_pseudo_header.is_valid())
    }
}
