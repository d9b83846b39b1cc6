//! Packets (RFC 9568 sections 5 and 7).

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use ha_common::{
    abi::Mac,
    wire::vrrp::{self as wire, PRIORITY_OWNER, PRIORITY_RELEASE},
};
use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::{
        Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Context, Discard, Version,
    },
    vrrp::{Primary, Unencodable},
};

use crate::{
    bench::{
        DOWN, GREATER, INTERVAL, LESSER, OWN, SKEW, active, advert, advert_every, at, backup,
        config, send, set_role,
    },
    sample::{
        GLOBAL, LINK_LOCAL, MESSAGE4, PSEUDO4, V4, V6, VRID, advertisement, advertisement4,
        advertisement6, context, forge, message6,
    },
};

fn decode(message: &[u8]) -> Result<Advertisement, Discard> {
    Advertisement::decode(message, &context(V4))
}

fn decode6(message: &[u8]) -> Result<Advertisement, Discard> {
    Advertisement::decode(message, &context(V6))
}

#[test]
fn p1_version_3_type_1_is_accepted() {
    assert_eq!(MESSAGE4[0], 0x31);
    assert_eq!(decode(&MESSAGE4), Ok(advertisement4()));
    assert_eq!(decode6(&message6()), Ok(advertisement6()));
}

#[test]
fn p1_any_other_version_or_type_is_discarded() {
    for first in (0..=u8::MAX).filter(|&first| first != 0x31) {
        let discarded = decode(&forge(&MESSAGE4, &[(0, first)])).unwrap_err();
        let (found, kind) = (first >> 4, first & 15);
        let expected = match found {
            3 => Discard::Type { found: kind },
            _ => Discard::Version {
                found,
                expected: Version::V3,
            },
        };
        assert_eq!(discarded, expected, "{first:#04x}");
    }
}

#[test]
fn p2_ttl_255_is_accepted() {
    assert_eq!(wire::HOP_LIMIT, 255);
    for (carrier, message) in [(V4, MESSAGE4.to_vec()), (V6, message6())] {
        let context = Context {
            hop_limit: 255,
            ..context(carrier)
        };
        assert!(Advertisement::decode(&message, &context).is_ok());
    }
}

#[test]
fn p2_any_other_ttl_is_discarded() {
    for (carrier, message) in [(V4, MESSAGE4.to_vec()), (V6, message6())] {
        for found in 0..255 {
            let context = Context {
                hop_limit: found,
                ..context(carrier)
            };
            let decoded = Advertisement::decode(&message, &context);
            assert_eq!(decoded, Err(Discard::HopLimit { found }));
        }
    }
}

#[test]
fn p3_protocol_and_groups_are_the_assigned_ones() {
    assert_eq!(wire::PROTOCOL, 112);
    assert_eq!(wire::MULTICAST4, [224, 0, 0, 18]);
    let group: Ipv6Addr = "ff02::12".parse().unwrap();
    assert_eq!(wire::MULTICAST6, group.octets());
}

/// 224.0.0.0/24 and the scope of a link are never forwarded, whatever the TTL.
#[test]
fn p3_the_groups_are_of_the_link_and_not_to_be_forwarded() {
    assert_eq!(wire::MULTICAST4[..3], [224, 0, 0]);
    assert_eq!(wire::MULTICAST6[..2], [0xff, 0x02]);
    assert_eq!(wire::MULTICAST4_MAC, Mac([0x01, 0, 0x5e, 0, 0, 0x12]));
    assert_eq!(wire::MULTICAST6_MAC, Mac([0x33, 0x33, 0, 0, 0, 0x12]));
}

#[test]
fn p4_each_family_advertises_from_its_own_primary() {
    let dual = Primary::Dual(OWN, LINK_LOCAL);
    assert_eq!((dual.v4(), dual.v6()), (Some(OWN), Some(LINK_LOCAL)));
    assert_eq!(Primary::V4(OWN).v6(), None);
    assert_eq!(Primary::V6(LINK_LOCAL).v4(), None);
    assert_eq!(
        V6.source(),
        IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1))
    );
}

#[test]
fn p4_an_advertisement_from_the_own_primary_is_not_heeded() {
    let mut machine = active(config());
    let due = machine.deadline();
    assert_eq!(machine.handle(at(DOWN * 2), advert(OWN.into(), 255)), []);
    assert_eq!((machine.role(), machine.deadline()), (Role::Active, due));
}

#[test]
fn p5_the_virtual_mac_is_made_of_the_router_id() {
    for vrid in [1, 51, 255] {
        assert_eq!(wire::mac4(vrid), Mac([0, 0, 0x5e, 0, 1, vrid]));
        assert_eq!(wire::mac6(vrid), Mac([0, 0, 0x5e, 0, 2, vrid]));
    }
}

#[test]
fn p5_router_id_0_is_discarded() {
    let decoded = decode(&forge(&MESSAGE4, &[(1, 0)]));
    assert_eq!(decoded, Err(Discard::UnknownVrid { vrid: 0 }));
}

#[test]
fn p6_over_ipv4_either_checksum_is_accepted_and_the_chosen_one_sent() {
    let mut with_pseudo_header = MESSAGE4;
    with_pseudo_header[6..8].copy_from_slice(&PSEUDO4);
    for (kind, message) in [
        (ChecksumV4::Message, MESSAGE4),
        (ChecksumV4::PseudoHeader, with_pseudo_header),
    ] {
        assert_eq!(decode(&message), Ok(advertisement4()));
        let sent = advertisement4().encode(V4, kind);
        assert_eq!(sent.as_deref(), Ok(&message[..]));
    }
}

#[test]
fn p6_a_wrong_checksum_is_discarded() {
    let mut message = MESSAGE4;
    message[7] ^= 1;
    assert_eq!(decode(&message), Err(Discard::Checksum));
}

#[test]
fn p6_over_ipv6_a_checksum_of_the_message_alone_is_discarded() {
    let mut message = message6();
    message[6..8].fill(0);
    let sum: u32 = message
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let folded = (sum >> 16) + (sum & 0xffff);
    message[6..8].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    assert_eq!(decode6(&message), Err(Discard::Checksum));
}

#[test]
fn p7_a_complete_packet_is_accepted() {
    for count in [1, 2, 255] {
        let advert = advertisement(Addresses::V4(vec![OWN; count]));
        let message = advert.encode(V4, ChecksumV4::Message).unwrap();
        assert_eq!(message.len(), 8 + 4 * count);
        assert_eq!(decode(&message), Ok(advert));
    }
    assert_eq!(message6().len(), 8 + 16 * 2);
}

#[test]
fn p7_a_packet_cut_anywhere_or_without_addresses_is_discarded() {
    for len in 0..MESSAGE4.len() {
        let decoded = decode(&MESSAGE4[..len]);
        assert_eq!(decoded, Err(Discard::Incomplete { len, needed: 12 }));
    }
    for len in 0..message6().len() {
        let decoded = decode6(&message6()[..len]);
        assert!(matches!(decoded, Err(Discard::Incomplete { .. })), "{len}");
    }
    let sum = 0x3133_u16 + 0xc800 + 0x0064;
    let [high, low] = (!sum).to_be_bytes();
    let empty = [0x31, 51, 200, 0, 0x00, 100, high, low];
    assert_eq!(decode(&empty), Err(Discard::NoAddresses));
}

#[test]
fn p8_a_configured_router_is_accepted_by_the_owner_too() {
    assert_eq!(decode(&MESSAGE4).map(|advert| advert.vrid), Ok(VRID));
    let mut owner = config();
    owner.priority = 255.try_into().unwrap();
    let mut machine = active_owner(owner);
    let _ = machine.handle(at(DOWN), advert(GREATER, 255));
    assert_eq!(
        machine.role(),
        Role::Backup,
        "the tie is decided, not ignored"
    );
}

fn active_owner(config: ha_core::vrrp::VrrpConfig) -> ha_core::vrrp::Machine {
    let mut machine = ha_core::vrrp::Machine::new(config);
    let _ = machine.handle(at(Duration::ZERO), Input::Start);
    let end = machine.deadline().expect("it claims");
    let _ = machine.handle(end, Input::Timer);
    assert_eq!(machine.role(), Role::Active);
    machine
}

#[test]
fn p8_any_other_router_is_discarded() {
    for vrid in (0..=u8::MAX).filter(|&vrid| vrid != VRID.get()) {
        let decoded = decode(&forge(&MESSAGE4, &[(1, vrid)]));
        assert_eq!(decoded, Err(Discard::UnknownVrid { vrid }));
    }
}

#[test]
fn p9_every_interval_of_twelve_bits_is_accepted_whatever_the_own_one() {
    for centiseconds in 1..=4095_u16 {
        let [high, low] = centiseconds.to_be_bytes();
        let decoded = decode(&forge(&MESSAGE4, &[(4, high), (5, low)])).unwrap();
        assert_eq!(decoded.max_advert_interval.get(), centiseconds);
    }
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert_every(GREATER, 200, 10));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN / 10)));
}

#[test]
fn p9_interval_0_is_discarded() {
    let decoded = decode(&forge(&MESSAGE4, &[(4, 0), (5, 0)]));
    assert_eq!(decoded, Err(Discard::ZeroInterval));
    assert_eq!(Centiseconds::new(0), None);
    assert_eq!(Centiseconds::new(4096), None);
}

#[test]
fn p10_reserved_bits_are_sent_as_zero() {
    let advert = Advertisement {
        max_advert_interval: Centiseconds::MAX,
        ..advertisement4()
    };
    let message = advert.encode(V4, ChecksumV4::Message).unwrap();
    assert_eq!(message[4..6], [0x0f, 0xff]);
}

#[test]
fn p10_reserved_bits_that_are_set_are_not_looked_at() {
    for bits in 1..16_u8 {
        let decoded = decode(&forge(&MESSAGE4, &[(4, bits << 4)]));
        assert_eq!(decoded, Ok(advertisement4()));
    }
}

#[test]
fn p11_a_first_ipv6_address_that_is_link_local_is_accepted() {
    let message = message6();
    assert_eq!(message[8..24], LINK_LOCAL.octets());
    assert_eq!(decode6(&message), Ok(advertisement6()));
}

#[test]
fn p11_any_other_first_ipv6_address_and_the_other_family_are_refused() {
    let spoilt = decode6(&forge(&message6(), &[(8, 0x20), (9, 0x01)]));
    assert!(matches!(spoilt, Err(Discard::FirstNotLinkLocal { .. })));
    let encode =
        |advert: Advertisement, carrier: Carrier| advert.encode(carrier, ChecksumV4::Message);
    let global = advertisement(Addresses::V6(vec![GLOBAL, LINK_LOCAL]));
    let found = GLOBAL;
    assert_eq!(
        encode(global, V6),
        Err(Unencodable::FirstNotLinkLocal { found })
    );
    assert_eq!(encode(advertisement6(), V4), Err(Unencodable::Family));
    assert_eq!(encode(advertisement4(), V6), Err(Unencodable::Family));
}

#[test]
fn p12_255_owns_0_lets_go_and_every_priority_is_carried() {
    assert_eq!((PRIORITY_OWNER, PRIORITY_RELEASE), (255, 0));
    for priority in 0..=u8::MAX {
        let advert = Advertisement {
            priority,
            ..advertisement4()
        };
        let message = advert.encode(V4, ChecksumV4::Message).unwrap();
        assert_eq!(decode(&message), Ok(advert));
    }
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 200));
    let _ = machine.handle(at(INTERVAL), advert(LESSER, PRIORITY_RELEASE));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + SKEW)));
}

#[test]
fn p12_0_is_nobodys_priority_and_255_no_promoted_nodes() {
    let mut machine = active(config());
    let stopped = machine.handle(at(DOWN * 2), Input::Stop);
    let silent = set_role(Role::Backup, None, Cause::Stopping);
    assert_eq!(stopped, [silent, Command::StopAnnouncing, send(0)]);
    assert_eq!(machine.priority(), 100);

    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 253));
    let _ = machine.handle(at(INTERVAL), Input::Promote);
    assert_eq!(machine.priority(), 254);
}
