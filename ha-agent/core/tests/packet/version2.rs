//! Version 2 (RFC 3768): octet by octet, and the rules of its section 7.1.

use ha_core::vrrp::{
    Advertisement, Centiseconds, ChecksumV4, Context, Discard, Unencodable, Version,
};

use crate::sample::{LINK_LOCAL, MESSAGE4, V4, V6, advertisement4, advertisement6, context, forge};

/// Version 2, type 1, router 51, priority 200, one address, no authentication, 1 s, checksum,
/// 192.0.2.10, and the room for authentication.
const MESSAGE: [u8; 20] = [
    0x21, 51, 200, 1, 0, 1, 0x54, 0xbf, 192, 0, 2, 10, 0, 0, 0, 0, 0, 0, 0, 0,
];

fn advert() -> Advertisement {
    Advertisement {
        version: Version::V2,
        ..advertisement4()
    }
}

fn context2() -> Context<'static> {
    Context {
        version: Version::V2,
        ..context(V4)
    }
}

fn decode(message: &[u8]) -> Result<Advertisement, Discard> {
    Advertisement::decode(message, &context2())
}

#[test]
fn octets_are_those_of_the_rfc_and_the_checksum_never_has_a_pseudo_header() {
    for kind in [ChecksumV4::Message, ChecksumV4::PseudoHeader] {
        assert_eq!(advert().encode(V4, kind).as_deref(), Ok(&MESSAGE[..]));
        let demanding = Context {
            checksum4: Some(kind),
            ..context2()
        };
        let decoded = Advertisement::decode(&MESSAGE, &demanding);
        assert_eq!(decoded, Ok(advert()));
    }
    assert_eq!(decode(&MESSAGE), Ok(advert()));
}

#[test]
fn authentication_data_is_not_looked_at() {
    let message = forge(&MESSAGE, &[(12, 0xab), (19, 0xcd)]);
    assert_eq!(decode(&message), Ok(advert()));
}

#[test]
fn each_version_discards_the_other() {
    let expected = Version::V2;
    let found = 3;
    assert_eq!(decode(&MESSAGE4), Err(Discard::Version { found, expected }));
    let (found, expected) = (2, Version::V3);
    let decoded = Advertisement::decode(&MESSAGE, &context(V4));
    assert_eq!(decoded, Err(Discard::Version { found, expected }));
}

#[test]
fn hop_limit_is_255() {
    let context = Context {
        hop_limit: 254,
        ..context2()
    };
    let decoded = Advertisement::decode(&MESSAGE, &context);
    assert_eq!(decoded, Err(Discard::HopLimit { found: 254 }));
}

#[test]
fn packet_is_complete_authentication_data_included() {
    for len in 0..MESSAGE.len() {
        let decoded = decode(&MESSAGE[..len]);
        assert_eq!(decoded, Err(Discard::Incomplete { len, needed: 20 }));
    }
    let longer = [&MESSAGE[..], &[1, 2, 3]].concat();
    assert_eq!(decode(&longer), Ok(advert()));
}

#[test]
fn checksum_is_right() {
    for bit in (8..MESSAGE.len() * 8).filter(|bit| bit / 8 != 3) {
        let mut flipped = MESSAGE;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(&flipped), Err(Discard::Checksum), "bit {bit}");
    }
}

#[test]
fn router_is_configured_and_type_is_advertisement() {
    let decoded = decode(&forge(&MESSAGE, &[(1, 52)]));
    assert_eq!(decoded, Err(Discard::UnknownVrid { vrid: 52 }));
    let decoded = decode(&forge(&MESSAGE, &[(0, 0x22)]));
    assert_eq!(decoded, Err(Discard::Type { found: 2 }));
}

#[test]
fn there_are_addresses() {
    let decoded = decode(&forge(
        &MESSAGE,
        &[(3, 0), (8, 0), (9, 0), (10, 0), (11, 0)],
    ));
    assert_eq!(decoded, Err(Discard::NoAddresses));
}

#[test]
fn authentication_is_none() {
    for found in 1..=u8::MAX {
        let decoded = decode(&forge(&MESSAGE, &[(4, found)]));
        assert_eq!(decoded, Err(Discard::Authentication { found }));
    }
}

#[test]
fn interval_is_the_own_one() {
    let own = Centiseconds::SECOND;
    for found in (0..=u8::MAX).filter(|&found| found != 1) {
        let decoded = decode(&forge(&MESSAGE, &[(5, found)]));
        assert_eq!(decoded, Err(Discard::Interval { found, own }));
    }
    let advert_interval = Centiseconds::new(4000).unwrap();
    let context = Context {
        advert_interval,
        ..context2()
    };
    let decoded = Advertisement::decode(&forge(&MESSAGE, &[(5, 40)]), &context);
    assert_eq!(decoded.unwrap().max_advert_interval, advert_interval);
}

#[test]
fn every_priority_is_carried() {
    for priority in 0..=u8::MAX {
        let decoded = decode(&forge(&MESSAGE, &[(2, priority)])).unwrap();
        assert_eq!(decoded.priority, priority);
    }
}

#[test]
fn there_is_no_ipv6_and_there_are_no_parts_of_a_second() {
    let advert6 = Advertisement {
        version: Version::V2,
        ..advertisement6()
    };
    let encoded = advert6.encode(V6, ChecksumV4::Message);
    assert_eq!(encoded, Err(Unencodable::Version2OverIpv6));
    let mut message = MESSAGE.to_vec();
    message.splice(8..12, LINK_LOCAL.octets());
    let context = Context {
        version: Version::V2,
        ..context(V6)
    };
    let decoded = Advertisement::decode(&message, &context);
    assert_eq!(decoded, Err(Discard::Version2OverIpv6));

    let interval = Centiseconds::new(150).unwrap();
    let uneven = Advertisement {
        max_advert_interval: interval,
        ..advert()
    };
    let encoded = uneven.encode(V4, ChecksumV4::Message);
    assert_eq!(encoded, Err(Unencodable::Interval { interval }));
}
