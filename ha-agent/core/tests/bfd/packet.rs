//! Every rule of RFC 5880 section 6.8.6 kept and broken, and octets that nobody would send.

use std::num::{NonZeroU8, NonZeroU32};

use ha_core::bfd::{Diagnostic, Discard, Key, Micros, Packet, State};
use proptest::prelude::*;

use crate::bench::{OWN, REMOTE, remote};

/// Up, three times 50 ms, from 0x2222 to 0x1111, reckoned by hand from section 4.1.
const OCTETS: [u8; 24] = [
    0x20, 0xc0, 3, 24, 0, 0, 0x22, 0x22, 0, 0, 0x11, 0x11, 0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50, 0,
    0, 0, 0,
];

fn own(key: Key) -> Option<()> {
    match key {
        Key::Discriminator(number) => (number == OWN).then_some(()),
        Key::Source => Some(()),
    }
}

fn decode(octets: &[u8]) -> Result<Packet, Discard> {
    Packet::decode(octets, 255, own).map(|((), packet)| packet)
}

fn forge(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut octets = OCTETS.to_vec();
    for &(at, octet) in changes {
        octets[at] = octet;
    }
    octets
}

/// Your Discriminator is zero.
fn unknown(state: State) -> Vec<u8> {
    forge(&[(1, (state as u8) << 6), (10, 0), (11, 0)])
}

#[test]
fn an_example_is_read_and_written() {
    assert_eq!(decode(&OCTETS), Ok(remote(State::Up)));
    assert_eq!(remote(State::Up).encode(), OCTETS);
    let mut padded = OCTETS.to_vec();
    padded.extend([0; 8]);
    assert_eq!(decode(&padded), Ok(remote(State::Up)), "more may follow");
}

#[test]
fn every_rule_discards_what_breaks_it() {
    for found in (0..=7).filter(|&version| version != 1) {
        let octets = forge(&[(0, found << 5)]);
        assert_eq!(decode(&octets), Err(Discard::Version { found }));
    }
    for found in 0..24 {
        let octets = forge(&[(3, found)]);
        assert_eq!(decode(&octets), Err(Discard::TooShort { found, least: 24 }));
    }
    for found in [24, 25] {
        let octets = forge(&[(3, found), (1, 0xc4)]);
        let short = Discard::TooShort { found, least: 26 };
        assert_eq!(decode(&octets), Err(short), "with authentication");
    }
    for found in 25..=255 {
        let octets = forge(&[(3, found)]);
        assert_eq!(decode(&octets), Err(Discard::TooLong { found, len: 24 }));
    }
    assert_eq!(decode(&forge(&[(2, 0)])), Err(Discard::ZeroMultiplier));
    assert_eq!(decode(&forge(&[(1, 0xc1)])), Err(Discard::Multipoint));
    let anonymous = forge(&[(6, 0), (7, 0)]);
    assert_eq!(decode(&anonymous), Err(Discard::ZeroDiscriminator));
    let found = NonZeroU32::new(0x1112).unwrap();
    let other = forge(&[(11, 0x12)]);
    let expected = Discard::UnknownDiscriminator { found };
    assert_eq!(decode(&other), Err(expected));
}

#[test]
fn a_packet_cut_anywhere_is_discarded() {
    for len in 0..OCTETS.len() {
        assert_eq!(decode(&OCTETS[..len]), Err(Discard::Incomplete { len }));
    }
}

#[test]
fn any_other_ttl_is_discarded() {
    for found in 0..255 {
        let decoded = Packet::decode(&OCTETS, found, own);
        assert_eq!(decoded, Err(Discard::HopLimit { found }));
    }
}

#[test]
fn who_does_not_know_our_number_may_only_be_down() {
    for state in [State::Down, State::AdminDown] {
        let packet = decode(&unknown(state)).unwrap();
        assert_eq!((packet.state, packet.your_discriminator), (state, None));
        let nobody = Packet::decode(&unknown(state), 255, |_| None::<()>);
        assert_eq!(nobody, Err(Discard::NoSession));
    }
    for state in [State::Init, State::Up] {
        let decoded = decode(&unknown(state));
        assert_eq!(decoded, Err(Discard::NoDiscriminator { state }));
    }
}

#[test]
fn authentication_is_not_offered_and_never_sent() {
    let mut octets = forge(&[(1, 0xc4), (3, 26)]);
    octets.extend([1, 2]);
    assert_eq!(decode(&octets), Err(Discard::Authentication));
    for state in [State::AdminDown, State::Down, State::Init, State::Up] {
        let all = Packet {
            is_poll: true,
            is_final: true,
            is_demand: true,
            ..remote(state)
        };
        assert_eq!(all.encode()[1] & 0b1101, 0, "C, A and M");
    }
}

#[test]
fn the_session_is_looked_for_before_authentication_is_judged() {
    let mut octets = forge(&[(1, 0xc4), (3, 26), (11, 0)]);
    octets.extend([1, 2]);
    let decoded = decode(&octets);
    assert!(matches!(decoded, Err(Discard::UnknownDiscriminator { .. })));
}

#[test]
fn every_discard_has_a_word_and_a_sentence() {
    let all = [
        Discard::HopLimit { found: 1 },
        Discard::Incomplete { len: 1 },
        Discard::Version { found: 2 },
        Discard::TooShort {
            found: 1,
            least: 24,
        },
        Discard::TooLong { found: 25, len: 24 },
        Discard::ZeroMultiplier,
        Discard::Multipoint,
        Discard::ZeroDiscriminator,
        Discard::UnknownDiscriminator { found: OWN },
        Discard::NoDiscriminator { state: State::Up },
        Discard::NoSession,
        Discard::Authentication,
    ];
    let words: std::collections::BTreeSet<_> = all.iter().map(|discard| discard.name()).collect();
    let sentences: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let state = prop::sample::select(&[State::AdminDown, State::Down, State::Init, State::Up][..]);
    let flags = any::<(bool, bool, bool)>();
    let times = any::<(u32, u32, u32)>();
    (state, flags, times, 0..=8_u8, 1_u8.., 1_u32..).prop_map(
        |(state, (is_poll, is_final, is_demand), times, diagnostic, mult, number)| Packet {
            diagnostic: Diagnostic::from_bits(diagnostic),
            state,
            is_poll,
            is_final,
            is_demand,
            detect_mult: NonZeroU8::new(mult).expect("it is not zero"),
            my_discriminator: NonZeroU32::new(number).unwrap_or(REMOTE),
            your_discriminator: match state {
                State::AdminDown | State::Down => None,
                State::Init | State::Up => Some(OWN),
            },
            desired_min_tx: Micros::new(times.0),
            required_min_rx: Micros::new(times.1),
            required_min_echo_rx: Micros::new(times.2),
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in any_packet()) {
        prop_assert_eq!(decode(&packet.encode()), Ok(packet));
    }

    #[test]
    fn noise_is_discarded_or_a_packet(noise in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(packet) = decode(&noise) {
            let reserved = packet.diagnostic.is_none();
            let again = decode(&packet.encode()).unwrap();
            let first = Packet { diagnostic: packet.diagnostic.or(Some(Diagnostic::None)), ..packet };
            prop_assert_eq!(again, first);
            prop_assert_eq!(reserved, noise[0] & 0x1f > 8);
        }
    }

    #[test]
    fn forgeries_break_a_rule_or_none(
        changes in prop::collection::vec((0_usize..24, any::<u8>()), 0..5),
        len in 0_usize..=24,
    ) {
        let forged = forge(&changes);
        match decode(&forged[..len]) {
            Ok(packet) => {
                prop_assert_eq!(len, 24);
                prop_assert_eq!(forged[0] >> 5, 1);
                prop_assert_eq!(forged[1] & 0b101, 0);
                prop_assert_eq!(packet.detect_mult.get(), forged[2]);
            }
            Err(discard) => prop_assert!(!discard.to_string().is_empty()),
        }
    }
}
