//! Version and peers of an election.

use std::time::Duration;

use ha_core::vrrp::{Peers, Version};

use super::{super::Vrrp, Election, parse, with};

/// The good file with IPv4 only and these lines in its election.
fn election(lines: &str) -> String {
    with(&[
        (", \"2001:db8::10\"", ""),
        ("vrid = 51\n", &format!("vrid = 51\n{lines}\n")),
    ])
}

fn vrrp(text: &str) -> Vrrp {
    let config = parse(text).unwrap();
    match &config.groups[0].election {
        Election::Vrrp(vrrp) => vrrp.clone(),
        Election::Manual => panic!("it is VRRP"),
    }
}

fn faults(text: &str) -> String {
    parse(text).unwrap_err()
}

#[test]
fn version_3_and_multicast_unless_told_otherwise() {
    let vrrp = vrrp(&election(""));
    assert_eq!(vrrp.version, Version::V3);
    assert_eq!(vrrp.peers, Peers::Multicast);
}

#[test]
fn version_2_counts_whole_seconds() {
    let usual = vrrp(&election("version = 2"));
    assert_eq!(usual.version, Version::V2);
    assert_eq!(usual.advert_interval.duration(), Duration::from_secs(1));
    let fault = faults(&election("version = 2\nadvert_interval = \"1500ms\""));
    assert!(fault.contains("not a whole number of seconds"), "{fault}");
    let fault = faults(&election("version = 4"));
    assert!(fault.contains("choose 2 to 3"), "{fault}");
}

#[test]
fn version_2_has_no_ipv6() {
    let fault = faults(&with(&[("vrid = 51", "vrid = 51\nversion = 2")]));
    assert!(fault.contains("ha.toml:10:8: group.web.vips"), "{fault}");
    assert!(fault.contains("2001:db8::10"), "{fault}");
}

#[test]
fn peers_are_those_of_the_groups_families() {
    let both = with(&[(
        "vrid = 51",
        "vrid = 51\npeers = [\"192.0.2.2\", \"fe80::2\"]",
    )]);
    let Peers::Unicast(peers) = vrrp(&both).peers else {
        panic!("there are peers");
    };
    assert_eq!(peers.len(), 2);
    let v4_only = with(&[("vrid = 51", "vrid = 51\npeers = [\"192.0.2.2\"]")]);
    let fault = faults(&v4_only);
    assert!(fault.contains("no peer to advertise them to"), "{fault}");
    let fault = faults(&election("peers = [\"192.0.2.2\", \"fe80::2\"]"));
    assert!(fault.contains("the group has no IPv6 address"), "{fault}");
}

#[test]
fn what_cannot_be_a_peer() {
    for (peers, what) in [
        ("[]", "the list is empty"),
        ("[\"224.0.0.18\"]", "not a single host's address"),
        ("[\"b\"]", "is not an address"),
        ("[\"2001:db8::2\"]", "is not link-local"),
        ("[\"192.0.2.2\", \"192.0.2.2\"]", "already in this list"),
    ] {
        let fault = faults(&election(&format!("peers = {peers}")));
        assert!(fault.contains(what), "{peers}: {fault}");
    }
}

#[test]
fn a_manual_election_has_neither() {
    let fault = faults(&with(&[(
        "type = \"vrrp\"",
        "type = \"manual\"\nversion = 3\npeers = [\"192.0.2.2\"]",
    )]));
    for key in ["election.version", "election.peers"] {
        assert!(fault.contains(key), "{fault}");
    }
}
