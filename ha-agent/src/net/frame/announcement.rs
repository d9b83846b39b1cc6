//! What tells neighbours and switches where a virtual IP is now.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, Bytes, BytesMut};
use ha_common::{
    abi::{Mac, Vlan},
    wire::{
        arp,
        checksum::Sum,
        eth::{ETHERTYPE_ARP, ETHERTYPE_IPV6},
        icmp, nd,
    },
};

use super::builder::{self, ethernet, ipv6};

/// Length of a neighbour advertisement with the target's link-layer address.
const NA_LEN: usize = 24 + nd::OPTION_UNIT;

/// A gratuitous ARP request: what RFC 5227 section 2.3 calls an ARP announcement.
#[must_use]
pub fn gratuitous_arp_request(mac: Mac, vip: Ipv4Addr, vlan: Vlan) -> Bytes {
    gratuitous_arp(arp::OP_REQUEST, mac, Mac::ZERO, vip, vlan)
}

/// The same as a reply: some neighbours and switches learn only from these.
#[must_use]
pub fn gratuitous_arp_reply(mac: Mac, vip: Ipv4Addr, vlan: Vlan) -> Bytes {
    gratuitous_arp(arp::OP_REPLY, mac, Mac::BROADCAST, vip, vlan)
}

/// An announcement for one neighbour alone: some heed what is addressed to them and nothing else.
#[must_use]
pub fn addressed_to(neighbour: Mac, announcement: &[u8]) -> Bytes {
    let mut frame = BytesMut::from(announcement);
    frame[..neighbour.0.len()].copy_from_slice(&neighbour.0);
    frame.freeze()
}

fn gratuitous_arp(operation: u16, mac: Mac, target_mac: Mac, vip: Ipv4Addr, vlan: Vlan) -> Bytes {
    let packet = arp::Packet::new(operation, (mac, vip.octets()), (target_mac, vip.octets()));
    let mut frame = BytesMut::with_capacity(64);
    ethernet(&mut frame, Mac::BROADCAST, mac, vlan, ETHERTYPE_ARP);
    frame.put_slice(&packet.hardware);
    frame.put_slice(&packet.protocol);
    frame.put_slice(&packet.lengths);
    frame.put_slice(&packet.operation);
    frame.put_slice(&packet.sender_mac.0);
    frame.put_slice(&packet.sender);
    frame.put_slice(&packet.target_mac.0);
    frame.put_slice(&packet.target);
    frame.freeze()
}

/// An unsolicited neighbour advertisement to all nodes (RFC 4861 section 7.2.6), with the override
/// flag, and the router flag if the node is one.
#[must_use]
pub fn unsolicited_na(mac: Mac, vip: Ipv6Addr, router: bool, vlan: Vlan) -> Bytes {
    let flags = nd::FLAG_OVERRIDE | if router { nd::FLAG_ROUTER } else { 0 };
    let mut message = [0; NA_LEN];
    message[0] = nd::ADVERTISEMENT;
    message[4] = flags;
    message[8..24].copy_from_slice(&vip.octets());
    message[24] = nd::OPTION_TARGET_LINK;
    message[25] = 1;
    message[26..].copy_from_slice(&mac.0);
    let source = vip.octets();
    let pseudo_header = [
        source.as_slice(),
        nd::ALL_NODES.as_slice(),
        &[0, NA_LEN as u8, 0, icmp::PROTOCOL_V6],
    ];
    let sum = pseudo_header.into_iter().fold(Sum::ZERO, builder::sum);
    let checksum = builder::sum(sum, &message).checksum();
    message[2..4].copy_from_slice(&checksum);

    let mut frame = BytesMut::with_capacity(94);
    ethernet(&mut frame, nd::ALL_NODES_MAC, mac, vlan, ETHERTYPE_IPV6);
    let addresses = (vip, Ipv6Addr::from(nd::ALL_NODES));
    ipv6(
        &mut frame,
        addresses,
        icmp::PROTOCOL_V6,
        nd::HOP_LIMIT,
        NA_LEN as u16,
    );
    frame.put_slice(&message);
    frame.freeze()
}

/// The Ethernet group to which solicitations for `vip` are sent (RFC 2464 section 7).
#[must_use]
pub const fn solicited_node_mac(vip: Ipv6Addr) -> Mac {
    nd::multicast_mac(nd::solicited_node(vip.octets()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x33]);

    #[test]
    fn gratuitous_arp_names_the_address_twice() {
        let vip = Ipv4Addr::new(192, 0, 2, 10);
        let request = gratuitous_arp_request(MAC, vip, Vlan::default());
        assert_eq!(request.len(), 42);
        assert_eq!(request[..6], [0xff; 6]);
        assert_eq!(request[6..12], MAC.0);
        assert_eq!(request[12..22], [8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        assert_eq!(request[22..28], MAC.0);
        assert_eq!(request[28..32], [192, 0, 2, 10]);
        assert_eq!(request[38..42], [192, 0, 2, 10]);
        let reply = gratuitous_arp_reply(MAC, vip, Vlan::default());
        assert_eq!(reply[20..22], [0, 2]);
    }

    #[test]
    fn one_neighbour_is_told_the_same() {
        let all = gratuitous_arp_reply(MAC, Ipv4Addr::new(192, 0, 2, 10), Vlan::default());
        let neighbour = Mac([2, 0, 0, 0, 0, 7]);
        let one = addressed_to(neighbour, &all);
        assert_eq!((&one[..6], &one[6..]), (&neighbour.0[..], &all[6..]));
    }

    #[test]
    fn tags_come_before_the_ethertype() {
        let vip = Ipv4Addr::new(192, 0, 2, 10);
        let one = gratuitous_arp_request(
            MAC,
            vip,
            Vlan {
                outer: 100,
                inner: 0,
            },
        );
        assert_eq!(one[12..18], [0x81, 0x00, 0, 100, 8, 6]);
        let two = gratuitous_arp_request(
            MAC,
            vip,
            Vlan {
                outer: 100,
                inner: 200,
            },
        );
        assert_eq!(two[12..22], [0x88, 0xa8, 0, 100, 0x81, 0x00, 0, 200, 8, 6]);
    }

    #[test]
    fn unsolicited_na_is_intact() {
        let vip: Ipv6Addr = "2001:db8::10".parse().unwrap();
        let frame = unsolicited_na(MAC, vip, true, Vlan::default());
        assert_eq!(frame.len(), 14 + 40 + NA_LEN);
        assert_eq!(frame[21], 255, "hop limit");
        assert_eq!(frame[54], 136);
        assert_eq!(frame[58], 0xa0, "router and override, not solicited");
        let sum = builder::sum(Sum::ZERO, &frame[22..]);
        assert!(builder::sum(sum, &[0, NA_LEN as u8, 0, 58]).is_valid());
    }
}
