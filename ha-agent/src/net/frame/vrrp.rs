//! Advertisements with their headers, and back.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, Bytes, BytesMut};
use ha_common::{
    abi::{Mac, Vlan},
    wire::{eth, ipv4 as v4, ipv6 as v6, vrrp},
};
use ha_core::vrrp::Carrier;

use super::{
    super::Received,
    builder::{ethernet, ipv4, ipv6},
};

/// The Ethernet destination of an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The Ethernet group that belongs to the family: also right for one peer whose MAC is not
    /// known, since every VRRP router takes it and only the one with the IP address heeds it.
    Group,
    /// One peer's NIC.
    Peer(Mac),
}

/// A frame with the advertisement `message`, which [`ha_core::vrrp::Advertisement::encode`] made for
/// the same `carrier`.
#[must_use]
pub fn advertisement(
    source: Mac,
    destination: Destination,
    vlan: Vlan,
    carrier: Carrier,
    message: &[u8],
) -> Bytes {
    let mut frame = BytesMut::with_capacity(14 + 8 + 40 + message.len());
    // An advertisement fits a frame: its encoder bounds the number of addresses.
    let len = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let to = |group| match destination {
        Destination::Group => group,
        Destination::Peer(mac) => mac,
    };
    match carrier {
        Carrier::V4 {
            source: src,
            destination: dst,
        } => {
            ethernet(
                &mut frame,
                to(vrrp::MULTICAST4_MAC),
                source,
                vlan,
                eth::ETHERTYPE_IPV4,
            );
            ipv4(&mut frame, (src, dst), vrrp::PROTOCOL, vrrp::HOP_LIMIT, len);
        }
        Carrier::V6 {
            source: src,
            destination: dst,
        } => {
            ethernet(
                &mut frame,
                to(vrrp::MULTICAST6_MAC),
                source,
                vlan,
                eth::ETHERTYPE_IPV6,
            );
            ipv6(&mut frame, (src, dst), vrrp::PROTOCOL, vrrp::HOP_LIMIT, len);
        }
    }
    frame.put_slice(message);
    frame.freeze()
}

/// A VRRP packet as it came in, not yet checked beyond its IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<'a> {
    /// The network it came from.
    pub vlan: Vlan,
    /// Source and destination.
    pub carrier: Carrier,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// The VRRP message.
    pub message: &'a [u8],
}

/// The VRRP packet in `frame`; `None` if it is none, is a fragment, or is cut short.
#[must_use]
pub fn heard(frame: &[u8], received: Received) -> Option<Heard<'_>> {
    let (inner, packet) = untagged(frame.get(12..)?)?;
    let vlan = received.vlan(inner);
    let (ethertype, packet) = packet.split_first_chunk::<2>()?;
    match u16::from_be_bytes(*ethertype) {
        eth::ETHERTYPE_IPV4 => heard4(packet, vlan),
        eth::ETHERTYPE_IPV6 => heard6(packet, vlan),
        _ => None,
    }
}

/// The VLAN id of a tag that is still in the frame, 0 without one, and what begins with the EtherType
/// behind it.
fn untagged(from_ethertype: &[u8]) -> Option<(u16, &[u8])> {
    let ([kind @ .., high, low], behind) = from_ethertype.split_first_chunk::<4>()?;
    match u16::from_be_bytes(*kind) {
        eth::ETHERTYPE_VLAN => Some((
            u16::from_be_bytes([*high, *low]) & eth::VLAN_ID_MASK,
            behind,
        )),
        _ => Some((0, from_ethertype)),
    }
}

fn heard4(packet: &[u8], vlan: Vlan) -> Option<Heard<'_>> {
    let header = packet.first_chunk::<{ v4::HEADER_LEN }>()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff;
    if header[0] >> 4 != v4::VERSION || fragment != 0 || header[9] != vrrp::PROTOCOL {
        return None;
    }
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
    Some(Heard {
        vlan,
        carrier: Carrier::V4 {
            source: Ipv4Addr::new(s0, s1, s2, s3),
            destination: Ipv4Addr::new(d0, d1, d2, d3),
        },
        hop_limit: header[8],
        message: packet.get(header_len.max(v4::HEADER_LEN)..total_len)?,
    })
}

fn heard6(packet: &[u8], vlan: Vlan) -> Option<Heard<'_>> {
    let (header, payload) = packet.split_first_chunk::<{ v6::HEADER_LEN }>()?;
    if header[0] >> 4 != v6::VERSION || header[6] != vrrp::PROTOCOL {
        return None;
    }
    let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let address = |at: usize| -> Option<Ipv6Addr> {
        header
            .get(at..at + 16)?
            .first_chunk::<16>()
            .map(|octets| Ipv6Addr::from(*octets))
    };
    Some(Heard {
        vlan,
        carrier: Carrier::V6 {
            source: address(8)?,
            destination: address(24)?,
        },
        hop_limit: header[7],
        message: payload.get(..len)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x33]);
    const MESSAGE: &[u8] = &[0x31, 51, 200, 1, 0, 10, 0, 0, 192, 0, 2, 10];

    fn carrier4() -> Carrier {
        Carrier::V4 {
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::from(vrrp::MULTICAST4),
        }
    }

    fn carrier6() -> Carrier {
        Carrier::V6 {
            source: "fe80::1".parse().unwrap(),
            destination: Ipv6Addr::from(vrrp::MULTICAST6),
        }
    }

    fn received(frame: &[u8], outer_vlan: u16) -> Received {
        Received {
            len: frame.len(),
            outer_vlan,
        }
    }

    #[test]
    fn what_is_sent_is_heard() {
        for carrier in [carrier4(), carrier6()] {
            let frame = advertisement(MAC, Destination::Group, Vlan::default(), carrier, MESSAGE);
            let heard = heard(&frame, received(&frame, 0)).unwrap();
            assert_eq!(heard.carrier, carrier);
            assert_eq!(heard.hop_limit, 255);
            assert_eq!(heard.message, MESSAGE);
            assert_eq!(heard.vlan, Vlan::default());
        }
    }

    #[test]
    fn the_tag_that_the_kernel_took_off_is_the_outer_one() {
        let vlan = Vlan {
            outer: 300,
            inner: 0,
        };
        let frame = advertisement(MAC, Destination::Group, vlan, carrier4(), MESSAGE);
        assert_eq!(heard(&frame, received(&frame, 0)).unwrap().vlan, vlan);
        let both = heard(&frame, received(&frame, 100)).unwrap().vlan;
        assert_eq!(
            both,
            Vlan {
                outer: 100,
                inner: 300
            }
        );
    }

    #[test]
    fn padding_is_not_part_of_the_message() {
        let frame = advertisement(
            MAC,
            Destination::Group,
            Vlan::default(),
            carrier4(),
            MESSAGE,
        );
        let mut frame = frame.to_vec();
        frame.resize(60, 0);
        assert_eq!(heard(&frame, received(&frame, 0)).unwrap().message, MESSAGE);
    }

    #[test]
    fn a_frame_cut_anywhere_is_not_heard() {
        for carrier in [carrier4(), carrier6()] {
            let frame = advertisement(MAC, Destination::Group, Vlan::default(), carrier, MESSAGE);
            for len in 0..frame.len() {
                assert_eq!(
                    heard(&frame[..len], received(&frame[..len], 0)),
                    None,
                    "{len}"
                );
            }
        }
    }

    #[test]
    fn a_peer_whose_mac_is_known_is_addressed_alone() {
        let peer = Mac([2, 0, 0, 0, 0, 9]);
        let frame = advertisement(
            MAC,
            Destination::Peer(peer),
            Vlan::default(),
            carrier4(),
            MESSAGE,
        );
        assert_eq!(frame[..6], peer.0);
    }
}
