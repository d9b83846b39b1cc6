//! What is particular to IPv6.

use ha_common::{
    abi::{Group, Mac},
    reason::Reason,
    wire::{eth::ETHERTYPE_IPV6, icmp, ipv6},
};

use super::Header;
use crate::{
    frame::Hit,
    packet::{Packet, Then},
    reply,
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
    fn age(&self, packet: &mut Packet, l3: usize) -> Result<(), Reason> {
        if self.hop_limit <= 1 {
            return Err(Reason::TtlExpired);
        }
        let Some(header) = packet.get_mut::<ipv6::Header>(l3) else {
            return Err(Reason::IpMalformed);
        };
        header.hop_limit = self.hop_limit - 1;
        Ok(())
    }
}
