//! BFD echo packets (RFC 5881 section 4): from this host to itself, by way of a neighbour.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};
use ha_common::wire::{
    bfd::{ECHO_PORT, HOP_LIMIT},
    checksum::Sum,
    ipv4, ipv6, udp,
};

use super::builder;

/// Octets of the payload, whose meaning is the sender's alone.
pub(crate) const PAYLOAD: usize = 16;
const UDP_LEN: u16 = (udp::Header::LEN + PAYLOAD) as u16;

/// The packet, IP header first.
pub(in crate::net) fn build(own: IpAddr, payload: &[u8; PAYLOAD]) -> BytesMut {
    let mut packet = BytesMut::with_capacity(ipv6::HEADER_LEN + usize::from(UDP_LEN));
    let pseudo = match own {
        IpAddr::V4(v4) => {
            builder::ipv4(&mut packet, (v4, v4), udp::PROTOCOL, HOP_LIMIT, UDP_LEN);
            builder::sum(Sum::ZERO, &[v4.octets(), v4.octets()].concat())
        }
        IpAddr::V6(v6) => {
            builder::ipv6(&mut packet, (v6, v6), udp::PROTOCOL, HOP_LIMIT, UDP_LEN);
            builder::sum(Sum::ZERO, &[v6.octets(), v6.octets()].concat())
        }
    };
    let [port, len] = [ECHO_PORT, UDP_LEN].map(u16::to_be_bytes);
    let sum = pseudo.add([0, udp::PROTOCOL]).add(len);
    let sum = sum.add(port).add(port).add(len);
    // Zero would say that there is none (RFC 768).
    let checksum = match builder::sum(sum, payload).checksum() {
        [0, 0] => [0xff; 2],
        checksum => checksum,
    };
    for part in [port, port, len, checksum] {
        packet.put_slice(&part);
    }
    packet.put_slice(payload);
    packet
}

/// The payload of a packet that came back; `None` if it is something else, or was not on any way.
pub(in crate::net) fn read(packet: &[u8]) -> Option<[u8; PAYLOAD]> {
    let (header, hop_limit) = match packet.first()? >> 4 {
        ipv4::VERSION => (ipv4::HEADER_LEN, *packet.get(8)?),
        ipv6::VERSION => (ipv6::HEADER_LEN, *packet.get(7)?),
        _ => return None,
    };
    if hop_limit == HOP_LIMIT {
        return None;
    }
    let payload = packet.get(header + udp::Header::LEN..)?;
    payload.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{PAYLOAD, Sum, build, builder, ipv4, ipv6, read};

    const SENT: [u8; PAYLOAD] = *b"sixteen octets.!";

    fn own() -> [IpAddr; 2] {
        ["192.0.2.1".parse().unwrap(), "fe80::1".parse().unwrap()]
    }

    #[test]
    fn what_comes_back_is_what_was_sent() {
        for own in own() {
            let mut packet = build(own, &SENT);
            assert_eq!(read(&packet), None, "it has not been anywhere");
            let hop_limit = if own.is_ipv4() { 8 } else { 7 };
            packet[hop_limit] = 254;
            assert_eq!(read(&packet), Some(SENT));
            for len in 0..packet.len() {
                assert_eq!(read(&packet[..len]), None, "cut at {len}");
            }
        }
        assert_eq!(read(&[0x55; 64]), None);
    }

    #[test]
    fn the_udp_checksum_is_right() {
        for own in own() {
            let packet = build(own, &SENT);
            let (header, addresses) = match own {
                IpAddr::V4(_) => (ipv4::HEADER_LEN, &packet[12..20]),
                IpAddr::V6(_) => (ipv6::HEADER_LEN, &packet[8..40]),
            };
            let sum = builder::sum(Sum::ZERO, addresses).add([0, 17]).add([0, 24]);
            assert!(builder::sum(sum, &packet[header..]).is_valid());
        }
    }
}
