//! Advertisements on the wire: examples reckoned elsewhere, every rule of RFC 9568 section 7.1 kept and
//! broken, and octets that nobody would send.
#![forbid(unsafe_code)]

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
};

use ha_core::vrrp::{
    Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Context, Discard, Unencodable,
};
use proptest::prelude::*;

const VRID: NonZeroU8 = match NonZeroU8::new(51) {
    Some(vrid) => vrid,
    None => panic!("51 is not zero"),
};

const V4: Carrier = Carrier::V4 {
    source: Ipv4Addr::new(10, 77, 0, 1),
    destination: Ipv4Addr::new(224, 0, 0, 18),
};

const V6: Carrier = Carrier::V6 {
    source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
};

/// Version 3, type 1, router 51, priority 200, one address, 100 cs, checksum, 192.0.2.10.
const MESSAGE4: [u8; 12] = [0x31, 51, 200, 1, 0x00, 100, 0x44, 0x5c, 192, 0, 2, 10];
const PSEUDO4: [u8; 2] = [0x59, 0x7f];

const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x5100);
const GLOBAL: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 1, 1);

const fn context(carrier: Carrier) -> Context<'static> {
    Context {
        carrier,
        hop_limit: 255,
        vrids: &[VRID],
        checksum4: None,
    }
}

fn advertisement(addresses: Addresses) -> Advertisement {
    Advertisement {
        vrid: VRID,
        priority: 200,
        max_advert_interval: Centiseconds::DEFAULT,
        addresses,
    }
}

fn advertisement4() -> Advertisement {
    advertisement(Addresses::V4(vec![Ipv4Addr::new(192, 0, 2, 10)]))
}

fn advertisement6() -> Advertisement {
    advertisement(Addresses::V6(vec![LINK_LOCAL, GLOBAL]))
}

fn message6() -> Vec<u8> {
    let encoded = advertisement6().encode(V6, ChecksumV4::Message);
    encoded.expect("it can be encoded")
}

/// Changes octets and makes the checksum right again, by RFC 1624.
fn forge(message: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut forged = message.to_vec();
    for &(at, octet) in changes {
        let word = at & !1;
        let before = u16::from_be_bytes([forged[word], forged[word + 1]]);
        forged[at] = octet;
        let after = u16::from_be_bytes([forged[word], forged[word + 1]]);
        let sum = u32::from(!u16::from_be_bytes([forged[6], forged[7]]))
            + u32::from(!before)
            + u32::from(after);
        let folded = (sum >> 16) + (sum & 0xffff);
        let folded = (folded >> 16) + (folded & 0xffff);
        let checksum = !(folded as u16);
        forged[6..8].copy_from_slice(&checksum.to_be_bytes());
    }
    forged
}

#[test]
fn ipv4_without_pseudo_header() {
    let encoded = advertisement4().encode(V4, ChecksumV4::Message);
    assert_eq!(encoded.as_deref(), Ok(&MESSAGE4[..]));
    assert_eq!(
        Advertisement::decode(&MESSAGE4, &context(V4)),
        Ok(advertisement4())
    );
}

#[test]
fn ipv4_with_pseudo_header() {
    let mut message = MESSAGE4;
    message[6..8].copy_from_slice(&PSEUDO4);
    let encoded = advertisement4().encode(V4, ChecksumV4::PseudoHeader);
    assert_eq!(encoded.as_deref(), Ok(&message[..]));
    assert_eq!(
        Advertisement::decode(&message, &context(V4)),
        Ok(advertisement4())
    );
}

#[test]
fn ipv4_with_the_demanded_checksum_only() {
    let mut pseudo = MESSAGE4;
    pseudo[6..8].copy_from_slice(&PSEUDO4);
    let demand = |checksum4| Context {
        checksum4: Some(checksum4),
        ..context(V4)
    };
    let cases = [
        (MESSAGE4, ChecksumV4::Message, true),
        (MESSAGE4, ChecksumV4::PseudoHeader, false),
        (pseudo, ChecksumV4::PseudoHeader, true),
        (pseudo, ChecksumV4::Message, false),
    ];
    for (message, kind, accepted) in cases {
        let decoded = Advertisement::decode(&message, &demand(kind));
        let expected = if accepted {
            Ok(advertisement4())
        } else {
            Err(Discard::Checksum)
        };
        assert_eq!(decoded, expected, "{kind:?}");
    }
}

#[test]
fn ipv6_always_with_pseudo_header() {
    for kind in [ChecksumV4::Message, ChecksumV4::PseudoHeader] {
        let message = advertisement6().encode(V6, kind).unwrap();
        assert_eq!(message[..8], [0x31, 51, 200, 2, 0x00, 100, 0xbb, 0x3b]);
        assert_eq!(message[8..24], LINK_LOCAL.octets());
        assert_eq!(message[24..], GLOBAL.octets());
        let context = Context {
            checksum4: Some(kind),
            ..context(V6)
        };
        assert_eq!(
            Advertisement::decode(&message, &context),
            Ok(advertisement6())
        );
    }
}

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
        assert_eq!(decoded, Err(Discard::Version { found }));
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

#[test]
fn what_a_receiver_would_discard_is_not_encoded() {
    let encode = |carrier, addresses| {
        advertisement(addresses)
            .encode(carrier, ChecksumV4::Message)
            .unwrap_err()
    };
    let v4 = |count| Addresses::V4(vec![Ipv4Addr::new(192, 0, 2, 1); count]);
    let v6 = |count| Addresses::V6(vec![LINK_LOCAL; count]);
    assert_eq!(encode(V4, v6(1)), Unencodable::Family);
    assert_eq!(encode(V6, v4(1)), Unencodable::Family);
    assert_eq!(encode(V4, v4(0)), Unencodable::NoAddresses);
    assert_eq!(encode(V6, v6(0)), Unencodable::NoAddresses);
    let too_many = |count, max| Unencodable::TooManyAddresses { count, max };
    assert_eq!(encode(V4, v4(256)), too_many(256, 255));
    assert_eq!(encode(V4, v4(512)), too_many(512, 255));
    assert_eq!(encode(V6, v6(91)), too_many(91, 90));
    let found = GLOBAL;
    assert_eq!(
        encode(V6, Addresses::V6(vec![GLOBAL, LINK_LOCAL])),
        Unencodable::FirstNotLinkLocal { found }
    );
}

fn any_advertisement() -> impl Strategy<Value = (Carrier, Advertisement)> {
    let v4 = (
        any::<[[u8; 4]; 2]>(),
        prop::collection::vec(any::<[u8; 4]>(), 1..=255),
    )
        .prop_map(|([source, destination], list)| {
            let carrier = Carrier::V4 {
                source: source.into(),
                destination: destination.into(),
            };
            (
                carrier,
                Addresses::V4(list.into_iter().map(Into::into).collect()),
            )
        });
    let v6 = (
        any::<[[u8; 16]; 2]>(),
        prop::collection::vec(any::<[u8; 16]>(), 0..90),
    )
        .prop_map(|([source, destination], list)| {
            let carrier = Carrier::V6 {
                source: source.into(),
                destination: destination.into(),
            };
            let list = list.into_iter().map(Into::into);
            (
                carrier,
                Addresses::V6(std::iter::once(LINK_LOCAL).chain(list).collect()),
            )
        });
    (prop_oneof![v4, v6], any::<u8>(), 1..=4095_u16).prop_map(
        |((carrier, addresses), priority, interval)| {
            let advert = Advertisement {
                priority,
                max_advert_interval: Centiseconds::new(interval).expect("it is an interval"),
                ..advertisement(addresses)
            };
            (carrier, advert)
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((carrier, advert) in any_advertisement(), pseudo: bool) {
        let kind = if pseudo { ChecksumV4::PseudoHeader } else { ChecksumV4::Message };
        let message = advert.encode(carrier, kind).unwrap();
        prop_assert!(message.len() <= 1500 - 20);
        for demanded in [None, Some(kind)] {
            let context = Context { checksum4: demanded, ..context(carrier) };
            prop_assert_eq!(Advertisement::decode(&message, &context), Ok(advert.clone()));
        }
    }

    #[test]
    fn noise_is_discarded(noise in prop::collection::vec(any::<u8>(), 0..200), v6: bool) {
        let carrier = if v6 { V6 } else { V4 };
        if let Ok(advert) = Advertisement::decode(&noise, &context(carrier)) {
            prop_assert!(advert.encode(carrier, ChecksumV4::Message).is_ok());
        }
    }

    #[test]
    fn forgeries_with_a_right_checksum_are_discarded_or_are_advertisements(
        changes in prop::collection::vec((0_usize..40, any::<u8>()), 0..6),
        len in 0_usize..=40,
        v6: bool,
    ) {
        let (carrier, message) = if v6 { (V6, message6()) } else { (V4, MESSAGE4.to_vec()) };
        let inside = |&(at, _): &(usize, u8)| at < message.len() && !(6..8).contains(&at);
        let changes: Vec<_> = changes.into_iter().filter(inside).collect();
        let forged = forge(&message, &changes);
        let forged = &forged[..len.min(forged.len())];
        match Advertisement::decode(forged, &context(carrier)) {
            Ok(advert) => prop_assert!(advert.encode(carrier, ChecksumV4::Message).is_ok()),
            Err(discard) => prop_assert!(!discard.to_string().is_empty()),
        }
    }
}
