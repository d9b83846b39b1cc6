//! What is particular to IPv6.

use ha_common::{
    abi::{Group, Mac},
    reason::Reason,
    wire::{eth::ETHERTYPE_IPV6, icmp, ipv6, tcp},
};

use super::Header;
use crate::{
    frame::Hit,
    maps::Maps,
    packet::{Packet, Then},
    reply, settle,
};

impl Header for ipv6::Header {
    const ETHERTYPE: u16 = ETHERTYPE_IPV6;

    #[inline(always)]
    fn mac(group: &Group) -> Mac {
        group.mac6
    }

    #[inline(always)]
    fn destination(&self) -> [u8; 16] {
        self.dst
    }

    #[inline(always)]
    fn source(&self) -> [u8; 16] {
        self.src
    }

    #[inline(always)]
    fn is_well_formed(&self, room: usize) -> bool {
        self.version() == ipv6::VERSION && ipv6::HEADER_LEN + self.payload_len() <= room
    }

    #[inline(always)]
    fn is_echo_request(&self, packet: &Packet, hit: &Hit) -> bool {
        self.next_header == icmp::PROTOCOL_V6
            && self.payload_len() >= size_of::<icmp::Echo>()
            && packet
                .get::<Then<ipv6::Header, icmp::Echo>>(hit.l3)
                .is_some_and(|Then(_, echo)| echo.kind == [icmp::V6_ECHO_REQUEST, 0])
    }

    #[inline(always)]
    fn answer_echo(&self, packet: &mut Packet, hit: &Hit) -> Reason {
        reply::echo6::answer(packet, hit)
    }

    #[inline(always)]
    fn is_new(&self, packet: &Packet, maps: &Maps, l3: usize) -> bool {
        if self.hop_limit <= 1 {
            return false;
        }
        settle::is_new_payload(self.next_header, || {
            packet
                .get::<Then<ipv6::Header, tcp::Header>>(l3)
                .filter(|_| self.payload_len() >= size_of::<tcp::Header>())
                .is_some_and(|Then(ip, segment)| {
                    let flow = settle::flow(ip.src, ip.dst, segment);
                    settle::is_new_segment(segment, maps.tcp6(packet, &flow))
                })
        })
    }

    #[inline(always)]
    fn may_age(&self, _: &Packet, _: usize) -> Result<(), Reason> {
        if self.hop_limit <= 1 {
            return Err(Reason::TtlExpired);
        }
        Ok(())
    }

    #[inline(always)]
    fn age(&self, packet: &mut Packet, l3: usize) -> bool {
        let Some(header) = packet.get_mut::<ipv6::Header>(l3) else {
            return false;
        };
        header.hop_limit = self.hop_limit.wrapping_sub(1);
        true
    }
}
