//! What is particular to IPv4.

use ha_common::{
    abi::{Group, Mac},
    reason::Reason,
    wire::{
        checksum::{self, Sum},
        eth::ETHERTYPE_IPV4,
        icmp, ipv4, tcp,
    },
};

use super::Header;
use crate::{
    frame::Hit,
    maps::Maps,
    packet::{Packet, Then},
    reply, settle,
};

impl Header for ipv4::Header {
    const ETHERTYPE: u16 = ETHERTYPE_IPV4;

    #[inline(always)]
    fn mac(group: &Group) -> Mac {
        group.mac4
    }

    #[inline(always)]
    fn destination(&self) -> [u8; 16] {
        mapped(self.dst)
    }

    #[inline(always)]
    fn source(&self) -> [u8; 16] {
        mapped(self.src)
    }

    #[inline(always)]
    fn is_well_formed(&self, room: usize) -> bool {
        self.version() == ipv4::VERSION
            && self.header_len() >= ipv4::HEADER_LEN
            && self.total_len() >= self.header_len()
            && self.total_len() <= room
    }

    #[inline(always)]
    fn is_echo_request(&self, packet: &Packet, hit: &Hit) -> bool {
        self.protocol == icmp::PROTOCOL_V4
            && self.header_len() == ipv4::HEADER_LEN
            && !self.is_fragment()
            && self.total_len() >= size_of::<Then<ipv4::Header, icmp::Echo>>()
            && packet
                .get::<Then<ipv4::Header, icmp::Echo>>(hit.l3)
                .is_some_and(|Then(_, echo)| echo.kind == [icmp::V4_ECHO_REQUEST, 0])
    }

    #[inline(always)]
    fn answer_echo(&self, packet: &mut Packet, hit: &Hit) -> Reason {
        reply::echo::answer(packet, hit)
    }

    #[inline(always)]
    fn is_new(&self, packet: &Packet, maps: &Maps, l3: usize) -> bool {
        let has_options = self.header_len() != ipv4::HEADER_LEN;
        if self.is_fragment() || has_options || self.ttl <= 1 || !is_intact(packet, l3) {
            return false;
        }
        settle::is_new_payload(self.protocol, || {
            packet
                .get::<Then<ipv4::Header, tcp::Header>>(l3)
                .filter(|_| self.total_len() >= size_of::<Then<ipv4::Header, tcp::Header>>())
                .is_some_and(|Then(ip, segment)| {
                    let flow = settle::flow(ip.src, ip.dst, segment);
                    settle::is_new_segment(segment, maps.tcp4(packet, &flow))
                })
        })
    }

    #[inline(always)]
    fn may_age(&self, packet: &Packet, l3: usize) -> Result<(), Reason> {
        if !checksum_is_valid(packet, l3, self.header_len()) {
            return Err(Reason::IpChecksum);
        }
        if self.ttl <= 1 {
            return Err(Reason::TtlExpired);
        }
        Ok(())
    }

    #[inline(always)]
    fn age(&self, packet: &mut Packet, l3: usize) -> bool {
        let Some(header) = packet.get_mut::<ipv4::Header>(l3) else {
            return false;
        };
        set_ttl(header, self.ttl.wrapping_sub(1));
        true
    }
}

/// Sets the TTL and keeps the checksum right.
#[inline(always)]
pub(crate) fn set_ttl(header: &mut ipv4::Header, ttl: u8) {
    let old = [header.ttl, header.protocol];
    header.checksum = checksum::update(header.checksum, old, [ttl, header.protocol]);
    header.ttl = ttl;
}

/// Whether a header without options adds up.
#[inline(always)]
fn is_intact(packet: &Packet, l3: usize) -> bool {
    packet
        .get::<[u16; ipv4::HEADER_LEN / 2]>(l3)
        .is_some_and(|words| Sum::ZERO.add_words(words).is_valid())
}

/// The unit in which the length of a header is counted, octets.
const WORD: usize = 4;

/// Whether the header of `len` octets adds up, options included; `false` if it is not all there.
#[inline(always)]
pub(crate) fn checksum_is_valid(packet: &Packet, l3: usize, len: usize) -> bool {
    let mut sum = Sum::ZERO;
    let mut offset = 0;
    while offset < ipv4::MAX_HEADER_LEN && offset < len {
        let Some(word) = packet.get::<[u16; WORD / 2]>(l3 + offset) else {
            return false;
        };
        sum = sum.add_words(word);
        offset += WORD;
    }
    sum.is_valid()
}

/// An IPv4 address as a v4-mapped IPv6 address (RFC 4291 section 2.5.5.2).
#[inline(always)]
pub(crate) fn mapped(addr: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = addr;
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}
