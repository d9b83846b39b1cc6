//! BFD (RFC 5880 to 5883), where its own tests do not have it.

use ha_common::wire::bfd as wire;
use ha_core::bfd::{Discard, Packet, State};

use crate::session::{MS, OWN, SECOND, config, hear, packets, remote, start, tick};

#[test]
fn b6_ports_and_hop_limit_are_the_assigned_ones() {
    assert_eq!((wire::PORT, wire::ECHO_PORT), (3784, 3785));
    assert_eq!(wire::HOP_LIMIT, 255);
}

fn decode(hop_limit: u8) -> Result<Packet, Discard> {
    let octets = remote(State::Down).encode();
    Packet::decode(&octets, hop_limit, |_| Some(())).map(|((), packet)| packet)
}

#[test]
fn b8_what_came_over_one_hop_is_accepted() {
    assert_eq!(decode(255).map(|p| p.your_discriminator), Ok(Some(OWN)));
}

#[test]
fn b8_what_came_over_more_is_discarded() {
    for found in 0..255 {
        assert_eq!(decode(found), Err(Discard::HopLimit { found }));
    }
}

#[test]
fn b10_the_bit_is_never_sent() {
    let mut session = start(config());
    let mut sent = Vec::new();
    for state in [State::Down, State::Init, State::Up, State::Down] {
        sent.extend(packets(&hear(&mut session, MS, remote(state))));
        sent.extend(packets(&tick(&mut session, SECOND)));
    }
    assert!(!sent.is_empty());
    for packet in sent {
        let octets = packet.encode();
        assert_eq!(octets[1] & wire::FLAG_AUTHENTICATION, 0);
        assert_eq!(octets[3], 24, "nor is there room for it");
    }
}
