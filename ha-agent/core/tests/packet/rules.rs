//! The rules of RFC 9568 section 7.1, errata 8299 to 8301 included: what breaks one is discarded.

use std::net::Ipv6Addr;

use ha_core::vrrp::{Advertisement, Carrier, Centiseconds, Context, Discard, Version};

use crate::sample::{LINK_LOCAL, MESSAGE4, V4, V6, advertisement4, context, forge, message6};

#[test]
fn hop_limit_is_255() {
    for carrier in [V4, V6] {
        for found in [0, 1, 64, 254] {
            let context = Context {
                hop_limit: found,
                ..context(carrier)
            };
            let decoded = Advertisement::decode(&MESSAGE4, &context);
            assert_eq!(decoded, Err(Discard::HopLimit { found }));
        }
    }
}

#[test]
fn version_is_3() {
    for found in (0..16).filter(|&version| version != 3) {
        let message = forge(&MESSAGE4, &[(0, found << 4 | 1)]);
        let decoded = Advertisement::decode(&message, &context(V4));
        assert_eq!(
            decoded,
            Err(Discard::Version {
                found,
                expected: Version::V3
            })
        );
    }
}

#[test]
fn type_is_advertisement() {
    for found in (0..16).filter(|&kind| kind != 1) {
        let message = forge(&MESSAGE4, &[(0, 0x30 | found)]);
        let decoded = Advertisement::decode(&message, &context(V4));
        assert_eq!(decoded, Err(Discard::Type { found }));
    }
}

#[test]
fn packet_is_complete() {
    for len in 0..MESSAGE4.len() {
        let decoded = Advertisement::decode(&MESSAGE4[..len], &context(V4));
        assert_eq!(decoded, Err(Discard::Incomplete { len, needed: 12 }));
    }
    let message = message6();
    for len in 8..message.len() {
        let decoded = Advertisement::decode(&message[..len], &context(V6));
        assert_eq!(decoded, Err(Discard::Incomplete { len, needed: 40 }));
    }
}

#[test]
fn what_follows_the_message_is_not_part_of_it() {
    let mut message = MESSAGE4.to_vec();
    message.extend_from_slice(&[1, 2, 3]);
    assert_eq!(
        Advertisement::decode(&message, &context(V4)),
        Ok(advertisement4())
    );
}

#[test]
fn checksum_is_right() {
    for carrier_and_message in [(V4, MESSAGE4.to_vec()), (V6, message6())] {
        let (carrier, message) = carrier_and_message;
        // The first octet has rules of its own, and a longer list is incomplete.
        for bit in (8..message.len() * 8).filter(|bit| bit / 8 != 3) {
            let mut flipped = message.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let decoded = Advertisement::decode(&flipped, &context(carrier));
            assert_eq!(decoded, Err(Discard::Checksum), "bit {bit}");
        }
    }
}

#[test]
fn ipv6_checksum_covers_the_addresses_of_the_packet() {
    let elsewhere = Carrier::V6 {
        source: LINK_LOCAL,
        destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
    };
    let decoded = Advertisement::decode(&message6(), &context(elsewhere));
    assert_eq!(decoded, Err(Discard::Checksum));
}

#[test]
fn router_is_configured() {
    for vrid in [0, 50, 52, 255] {
        let message = forge(&MESSAGE4, &[(1, vrid)]);
        let decoded = Advertisement::decode(&message, &context(V4));
        assert_eq!(decoded, Err(Discard::UnknownVrid { vrid }));
    }
}

#[test]
fn there_are_addresses() {
    let sum = 0x3133_u16 + 0xc800 + 0x0064;
    let [high, low] = (!sum).to_be_bytes();
    let empty = [0x31, 51, 200, 0, 0x00, 100, high, low];
    let decoded = Advertisement::decode(&empty, &context(V4));
    assert_eq!(decoded, Err(Discard::NoAddresses));
}

#[test]
fn first_ipv6_address_is_link_local() {
    let found = Ipv6Addr::from_bits(LINK_LOCAL.to_bits() & !(0xffff << 112) | 0xfd77 << 112);
    let message = forge(&message6(), &[(8, 0xfd), (9, 0x77)]);
    let decoded = Advertisement::decode(&message, &context(V6));
    assert_eq!(decoded, Err(Discard::FirstNotLinkLocal { found }));
}

#[test]
fn interval_is_not_zero_and_reserved_bits_are_not_looked_at() {
    let zero = forge(&MESSAGE4, &[(4, 0xf0), (5, 0)]);
    assert_eq!(
        Advertisement::decode(&zero, &context(V4)),
        Err(Discard::ZeroInterval)
    );
    let reserved = forge(&MESSAGE4, &[(4, 0xf0)]);
    assert_eq!(
        Advertisement::decode(&reserved, &context(V4)),
        Ok(advertisement4())
    );
    let longest = forge(&MESSAGE4, &[(4, 0x0f), (5, 0xff)]);
    let decoded = Advertisement::decode(&longest, &context(V4)).unwrap();
    assert_eq!(decoded.max_advert_interval, Centiseconds::MAX);
}
