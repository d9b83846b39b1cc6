//! Peers whose liveness is watched, and what follows from them.

use std::time::Duration;

use super::{super::Config, Election, GOOD, parse};

fn watched(peer: &str) -> String {
    format!("{GOOD}\n[[peer]]\n{peer}\n")
}

const PEER: &str = r#"name = "beta"
paths = [{ interface = "eth0", address = "192.0.2.2" }]"#;

fn contention(config: &Config) -> Duration {
    match &config.groups[0].election {
        Election::Vrrp(vrrp) => vrrp.contention,
        Election::Manual => panic!("it is VRRP"),
    }
}

#[test]
fn a_peer_is_probed_each_10_ms_unless_told_otherwise() {
    let config = parse(&watched(PEER)).unwrap();
    let peer = &config.peers[0];
    assert_eq!(peer.probing.interval, Duration::from_millis(10));
    assert_eq!(peer.probing.detection_time(), Duration::from_millis(30));
    let quick = format!("{PEER}\ninterval = \"3ms\"\nmultiplier = 4");
    let peer = &parse(&watched(&quick)).unwrap().peers[0];
    assert_eq!(peer.probing.detection_time(), Duration::from_millis(12));
}

#[test]
fn what_cannot_be_a_peer_is_said_with_its_mend() {
    for (peer, what) in [
        (
            "name = \"alpha\"\npaths = [{ interface = \"eth0\", address = \"192.0.2.2\" }]",
            "is this node",
        ),
        ("name = \"beta\"\npaths = []", "there is no way to it"),
        (
            "name = \"beta\"\npaths = [{ interface = \"eth7\", address = \"192.0.2.2\" }]",
            "no interface \"eth7\"",
        ),
        (
            "name = \"beta\"\npaths = [{ interface = \"eth0\", address = \"224.0.0.1\" }]",
            "not a single host's",
        ),
        (&format!("{PEER}\ninterval = \"100us\""), "out of range"),
        (&format!("{PEER}\nmultiplier = 1"), "choose 2 to 100"),
        (&format!("{PEER}\n[[peer]]\n{PEER}"), "already in line"),
    ] {
        let fault = parse(&watched(peer)).unwrap_err();
        assert!(fault.contains(what), "{peer}: {fault}");
    }
}

#[test]
fn a_lease_may_outlast_the_advertisements_where_peers_are_probed() {
    let long =
        |text: String| text.replacen("name = \"alpha\"", "name = \"alpha\"\nlease = \"1s\"", 1);
    let fault = parse(&long(GOOD.to_owned())).unwrap_err();
    assert!(fault.contains("or add [[peer]]"), "{fault}");
    let config = parse(&long(watched(PEER))).unwrap();
    assert_eq!(config.node.lease, Duration::from_secs(1));
    let usual = parse(&watched(PEER)).unwrap();
    assert_eq!(usual.node.lease, Duration::from_millis(200));
}

#[test]
fn two_nodes_have_no_rivals() {
    let alone = parse(GOOD).unwrap();
    assert_eq!(contention(&alone), Duration::from_micros(12_500));
    let pair = parse(&watched(PEER)).unwrap();
    assert_eq!(contention(&pair), Duration::ZERO);
    let third = PEER
        .replace("beta", "gamma")
        .replace("192.0.2.2", "192.0.2.3");
    let three = parse(&watched(&format!("{PEER}\n[[peer]]\n{third}"))).unwrap();
    assert_eq!(contention(&three), Duration::from_micros(12_500));
}
