//! What is sent, octet by octet.

use std::net::Ipv4Addr;

use ha_core::vrrp::{Addresses, Advertisement, ChecksumV4, Context, Discard, Unencodable};

use crate::sample::{
    GLOBAL, LINK_LOCAL, MESSAGE4, PSEUDO4, V4, V6, advertisement, advertisement4, advertisement6,
    context,
};

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
