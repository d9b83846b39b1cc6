//! Peers whose liveness is watched, and what follows from them.

use std::time::Duration;

use super::{
    super::{Config, Witness},
    Election, GOOD, parse,
};

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

#[test]
fn a_lease_is_held_to_the_advertisements_where_a_unicast_peer_is_not_probed() {
    let unicast = |peers: &str| {
        let text = watched(PEER).replacen("vrid = 51", &format!("vrid = 51\npeers = [{peers}]"), 1);
        let text = text.replacen(", \"2001:db8::10\"", "", 1);
        parse(&text.replacen("name = \"alpha\"", "name = \"alpha\"\nlease = \"1s\"", 1))
    };
    assert!(unicast("\"192.0.2.2\"").is_ok());
    let fault = unicast("\"192.0.2.2\", \"192.0.2.3\"").unwrap_err();
    assert!(fault.contains("since 192.0.2.3 is not probed"), "{fault}");
    assert!(fault.contains("to the paths of a [[peer]]"), "{fault}");
}

#[test]
fn a_witness_is_a_host_or_a_peer() {
    let witness = |text: &str| parse(&watched(&format!("{PEER}\n[witness]\n{text}")));
    let ping = witness("ping = \"192.0.2.1\"\ninterface = \"eth0\"").unwrap();
    let expected = Witness::Ping {
        address: "192.0.2.1".parse().unwrap(),
        interface: "eth0".to_owned(),
    };
    assert_eq!(ping.witness, Some(expected));
    assert_eq!(ping.rivals(), 1);
    let agent = witness("agent = \"beta\"").unwrap();
    assert_eq!(agent.witness, Some(Witness::Agent { peer: 0 }));
    assert_eq!((agent.rivals(), agent.is_witness(0)), (0, true));
    for (text, what) in [
        ("", "either a host that is pinged or another agent"),
        ("ping = \"192.0.2.1\"", "either a host"),
        (
            "ping = \"224.0.0.1\"\ninterface = \"eth0\"",
            "not a single host's",
        ),
        (
            "ping = \"192.0.2.1\"\ninterface = \"eth7\"",
            "no interface \"eth7\"",
        ),
        ("agent = \"gamma\"", "no peer \"gamma\""),
    ] {
        let fault = witness(text).unwrap_err();
        assert!(fault.contains(what), "{text}: {fault}");
    }
}

#[test]
fn with_a_witness_that_is_a_peer_two_nodes_still_have_no_rivals() {
    let third = PEER
        .replace("beta", "gamma")
        .replace("192.0.2.2", "192.0.2.3");
    let text = watched(&format!(
        "{PEER}\n[[peer]]\n{third}\n[witness]\nagent = \"gamma\""
    ));
    assert_eq!(contention(&parse(&text).unwrap()), Duration::ZERO);
}

#[test]
fn a_node_without_groups_may_be_a_witness() {
    let alone = "[node]\nname = \"gamma\"\n[[interface]]\nname = \"eth0\"\n";
    let fault = parse(alone).unwrap_err();
    assert!(fault.contains("only a witness"), "{fault}");
    let config = parse(&format!("{alone}[[peer]]\n{PEER}")).unwrap();
    assert!(config.groups.is_empty());
}
