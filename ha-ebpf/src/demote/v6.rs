//! What is particular to IPv6.

use ha_common::{
    abi::ROUTER_V6,
    wire::{checksum::Sum, ipv6, vrrp},
};

use super::Carrier;
use crate::packet::Packet;

impl Carrier for ipv6::Header {
    const IP: u8 = ROUTER_V6;
    const HEADER_LEN: usize = ipv6::HEADER_LEN;
    const ADDRESS_LEN: usize = 16;

    #[inline(always)]
    fn is_plain(&self) -> bool {
        true
    }

    #[inline(always)]
    fn hop_limit(&self) -> u8 {
        self.hop_limit
    }

    #[inline(always)]
    fn payload_len(&self) -> usize {
        self.payload_len()
    }

    #[inline(always)]
    fn is_to_group(&self) -> bool {
        u128::from_ne_bytes(self.dst) == GROUP
    }

    /// The first one must be link-local (RFC 9568 section 5.2.9).
    #[inline(always)]
    fn has_valid_addresses(packet: &Packet, start: usize) -> bool {
        packet
            .get::<[u16; 1]>(start)
            .is_some_and(|[first]| first & LINK_LOCAL_MASK == LINK_LOCAL)
    }

    /// Covers the pseudo-header (RFC 8200 section 8.1).
    #[inline(always)]
    fn is_intact(&self, message: Sum, _: u8, len: usize) -> bool {
        message
            .add_words(&words(self.src))
            .add_words(&words(self.dst))
            .add((len as u16).to_be_bytes())
            .add([0, vrrp::PROTOCOL])
            .is_valid()
    }
}

/// As a number it is part of the instructions; as octets it would be a map of its own.
const GROUP: u128 = u128::from_ne_bytes(vrrp::MULTICAST6);

/// `fe80::/10` (RFC 4291 section 2.5.6).
const LINK_LOCAL: u16 = u16::from_ne_bytes([0xfe, 0x80]);
const LINK_LOCAL_MASK: u16 = u16::from_ne_bytes([0xff, 0xc0]);

/// An address as it lies in memory.
#[inline(always)]
fn words(address: [u8; 16]) -> [u16; 8] {
    let mut words = [0; 8];
    for (word, pair) in words.iter_mut().zip(address.chunks_exact(2)) {
        *word = u16::from_ne_bytes([pair[0], pair[1]]);
    }
    words
}
