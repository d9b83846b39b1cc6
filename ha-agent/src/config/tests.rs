mod bfd;
mod guest;
mod liveness;
mod local;
mod track;
mod vrrp;

use std::{path::Path, time::Duration};

use ha_common::abi::Vlan;

use super::{
    AnsweringMac, Config, Election, LocalClients, MacFallback, Mode, OnExit, Source, Stale,
};

/// A file to which the cases add their fault.
const GOOD: &str = r#"[node]
name = "alpha"

[[interface]]
name = "eth0"

[[group]]
name = "web"
interface = "eth0"
vips = ["192.0.2.10", "2001:db8::10"]

[group.election]
type = "vrrp"
vrid = 51
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("ha.toml")).map_err(|invalid| invalid.to_string())
}

/// The good file with each `from` replaced.
fn with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the good file has no {from:?}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn defaults() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.node.lease, Duration::from_millis(190));
    assert_eq!(config.node.on_exit, OnExit::Hold);
    assert_eq!(
        config.control.socket,
        Path::new("/run/ha-agent/control.sock")
    );
    assert_eq!(config.interfaces[0].mode, Mode::Native);
    let group = &config.groups[0];
    assert_eq!(group.stale, Stale::Forward);
    assert_eq!(group.vlan, Vlan::default());
    assert!(matches!(group.mac, AnsweringMac::Virtual(vrid) if vrid.get() == 51));
    assert_eq!(group.mac_fallback, MacFallback::None);
    let Election::Vrrp(vrrp) = &group.election else {
        panic!("{:?}", group.election);
    };
    assert_eq!(vrrp.priority.get(), 100);
    assert_eq!(vrrp.advert_interval.get(), 10);
    assert!(vrrp.preempt);
    assert_eq!(vrrp.yield_grace, Duration::from_millis(290));
    assert_eq!(vrrp.settle, Duration::from_millis(100));
    assert_eq!(vrrp.contention, Duration::from_micros(12_500));
}

#[test]
fn the_interface_s_mac_may_stand_in_for_the_virtual_one() {
    let text = with(&[(
        "interface = \"eth0\"",
        "interface = \"eth0\"\nmac_fallback = \"interface\"",
    )]);
    let group = &parse(&text).unwrap().groups[0];
    assert!(matches!(group.mac, AnsweringMac::Virtual(_)));
    assert_eq!(group.mac_fallback, MacFallback::Interface);
}

#[test]
fn the_policy_for_the_agents_death_is_one_of_two() {
    let policy = |word: &str| {
        let name = format!("name = \"alpha\"\non_exit = \"{word}\"");
        parse(&with(&[("name = \"alpha\"", &name)]))
    };
    assert_eq!(policy("release").unwrap().node.on_exit, OnExit::Release);
    let fault = policy("run").unwrap_err();
    assert!(
        fault.contains("node.on_exit") && fault.contains("hold"),
        "{fault}"
    );
}

#[test]
fn programs_on_the_host_reach_one_of_two() {
    let reach = |word: &str| {
        let name = format!("name = \"alpha\"\nlocal_clients = \"{word}\"");
        parse(&with(&[("name = \"alpha\"", &name)]))
    };
    let default = parse(GOOD).unwrap().node.local_clients;
    assert_eq!(default, LocalClients::Active);
    assert_eq!(reach("own").unwrap().node.local_clients, LocalClients::Own);
    let fault = reach("none").unwrap_err();
    assert!(
        fault.contains("node.local_clients") && fault.contains("\"own\""),
        "{fault}"
    );
}

#[test]
fn vrrp_over_ipv6_gets_a_link_local_address() {
    let vips = |text: &str| -> Vec<String> {
        let config = parse(text).unwrap();
        config.groups[0]
            .vips
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        vips(GOOD),
        ["192.0.2.10", "2001:db8::10", "fe80::200:5eff:fe00:233"]
    );
    let own = with(&[("2001:db8::10", "fe80::1:51")]);
    assert_eq!(vips(&own), ["192.0.2.10", "fe80::1:51"]);
    let v4 = with(&[(", \"2001:db8::10\"", "")]);
    assert_eq!(vips(&v4), ["192.0.2.10"]);
}

#[test]
fn the_lease_follows_the_shortest_interval() {
    let cases = [("10ms", 19), ("50ms", 95), ("100ms", 190), ("1s", 200)];
    for (interval, lease) in cases {
        let text = with(&[(
            "vrid = 51",
            &format!("vrid = 51\nadvert_interval = \"{interval}\""),
        )]);
        let config = parse(&text).unwrap();
        assert_eq!(
            config.node.lease,
            Duration::from_millis(lease),
            "{interval}"
        );
    }
}

#[test]
fn all_that_can_be_written() {
    let text = r#"
[node]
name = "alpha"
lease = "auto"
pin_dir = "/sys/fs/bpf/other"
[control]
socket = "/run/other.sock"
group = "operators"
[log]
format = "json"
filter = "warn,ha_agent::engine=debug"
[announce]
rate = 1000
repeats = 1
spacing = "2s"
refresh = "off"
[[interface]]
name = "eth0"
mode = "generic"
[[group]]
name = "web"
interface = "eth0"
vlan = [100, 200]
vips = ["192.0.2.10-192.0.2.12"]
mac = "interface"
stale = "drop"
router = true
[group.election]
type = "vrrp"
vrid = 255
priority = 255
advert_interval = "40950ms"
preempt = false
preempt_delay = "5m"
startup_delay = "10s"
checksum = "pseudo-header"
settle = "250ms"
yield_grace = "1s"
contention = "30ms"
[[group]]
name = "db"
interface = "eth0"
vips = ["192.0.2.10"]
mac = "interface"
election = { type = "manual" }
"#;
    let config = parse(text).unwrap();
    assert_eq!(config.groups[0].vips.len(), 3);
    assert_eq!(
        config.groups[0].vlan,
        Vlan {
            outer: 100,
            inner: 200
        }
    );
    assert_eq!(config.groups[0].mac, AnsweringMac::Interface);
    assert_eq!(config.groups[1].election, Election::Manual);
    assert_eq!(config.announce.refresh, None);
}

/// Each change to the good file, and the one message it gives.
#[test]
fn each_fault_has_its_place_and_its_mend() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("name = \"alpha\"", "name = \"alpha\"\nleas = \"1s\"")],
            "ha.toml:3:1: leas: unknown field `leas`, expected one of `name`, `lease`, `on_exit`, \
             `local_clients`, `pin_dir`",
        ),
        (
            &[("vrid = 51", "vrid = \"51\"")],
            "ha.toml:14:8: vrid: invalid type: string \"51\", expected i64",
        ),
        (
            &[("vrid = 51", "vrid = ")],
            "ha.toml:14:8: vrid: string values must be quoted, expected literal string",
        ),
        (
            &[("name = \"alpha\"", "name = \"alpha\"\nlease = \"fast\"")],
            "ha.toml:3:9: node.lease: \"fast\" is not a length of time: \
             write a number with its unit, as \"200ms\" or \"1s\"",
        ),
        (
            &[("name = \"alpha\"", "name = \"alpha\"\nlease = \"500ms\"")],
            "ha.toml:3:9: node.lease: a lease of 500ms outlasts the peers' patience: in group \
             \"web\" they take over 300.4ms after the last advertisement, which may have been sent \
             100ms before this node dies and take 10ms to arrive: write lease = \"190ms\" or less, \
             or advert_interval = \"270ms\" or more, or add [[peer]] for each other node, which is not \
             replaced then while it lives",
        ),
        (
            &[("name = \"alpha\"", "name = \"alpha\"\npin_dir = \"ha\"")],
            "ha.toml:3:11: node.pin_dir: \"ha\" is not an absolute path: \
             begin it with a slash, as \"/sys/fs/bpf/ha\"",
        ),
        (
            &[("name = \"eth0\"", "name = \"eth0\"\nmode = \"driver\"")],
            "ha.toml:6:8: interface.eth0.mode: \"driver\" is not known: \
             write \"native\" or \"generic\"",
        ),
        (
            &[("interface = \"eth0\"", "interface = \"eth1\"")],
            "ha.toml:9:13: group.web.interface: there is no interface \"eth1\" in this file: \
             add [[interface]] with name = \"eth1\", or name one that is there",
        ),
        (
            &[("name = \"web\"", "name = \"a group with a long name\"")],
            "ha.toml:8:8: group.name: \"a group with a long name\" cannot be the name of a group: \
             write 1 to 22 letters, digits, '-', '_' or '.'",
        ),
        (
            &[(
                "\"192.0.2.10\"",
                "\"192.0.2.10-192.0.2.12\", \"192.0.2.11\"",
            )],
            "ha.toml:10:34: group.web.vips: 192.0.2.11 is already in this list: \
             write each address once",
        ),
        (
            &[("\"192.0.2.10\"", "\"127.0.0.1\"")],
            "ha.toml:10:9: group.web.vips: 127.0.0.1 cannot be a host's address: use a unicast \
             address, not 0.0.0.0/8, loopback, multicast, reserved or broadcast",
        ),
        (
            &[("[\"192.0.2.10\", \"2001:db8::10\"]", "[]")],
            "ha.toml:10:8: group.web.vips: the list is empty: add an address, as \"192.0.2.10\"",
        ),
        (
            &[(
                "interface = \"eth0\"",
                "interface = \"eth0\"\nvlan = [4095]",
            )],
            "ha.toml:10:9: group.web.vlan: 4095 is out of range: choose 1 to 4094",
        ),
        (
            &[(
                "interface = \"eth0\"",
                "interface = \"eth0\"\nvlan = [1, 2, 3]",
            )],
            "ha.toml:10:8: group.web.vlan: 3 VLAN tags are more than the two that a frame can \
             have: write [outer, inner], [id] or nothing",
        ),
        (
            &[("vrid = 51", "vrid = 256")],
            "ha.toml:14:8: group.web.election.vrid: 256 is out of range: choose 1 to 255",
        ),
        (
            &[("vrid = 51", "")],
            "ha.toml:12:1: group.web.election.vrid: a VRRP election needs a virtual router id: \
             add vrid = 1 to 255, the same on all nodes of the group",
        ),
        (
            &[("\"vrrp\"\nvrid = 51", "\"manual\"")],
            "ha.toml:12:1: group.web.mac: a virtual MAC is made from a virtual router id, and the \
             election has none: add vrid = 1 to 255 to the election, or write mac = \"interface\"",
        ),
        (
            &[(
                "interface = \"eth0\"",
                "interface = \"eth0\"\nmac = \"interface\"\nmac_fallback = \"interface\"",
            )],
            "ha.toml:11:16: group.web.mac_fallback: the group answers with the interface's MAC in any \
             case: leave it out, or write mac = \"virtual\"",
        ),
        (
            &[(
                "interface = \"eth0\"",
                "interface = \"eth0\"\nmac_fallback = \"virtual\"",
            )],
            "ha.toml:10:16: group.web.mac_fallback: \"virtual\" is not known: write \"interface\" or \
             \"none\"",
        ),
        (
            &[("\"vrrp\"", "\"manual\"\npriority = 1")],
            "ha.toml:14:12: group.web.election.priority: a manual election has no such key: \
             remove it, or write type = \"vrrp\"",
        ),
        (
            &[("vrid = 51", "vrid = 51\nadvert_interval = \"15ms\"")],
            "ha.toml:15:19: group.web.election.advert_interval: 15ms is not a whole number of \
             hundredths of a second, as VRRP sends it: write \"10ms\"",
        ),
        (
            &[("vrid = 51", "vrid = 51\nadvert_interval = \"3ms\"")],
            "ha.toml:15:19: group.web.election.advert_interval: 3ms is out of range: \
             choose 10ms to 40s950ms",
        ),
        (
            &[("vrid = 51", "vrid = 51\npriority = 0")],
            "ha.toml:15:12: group.web.election.priority: 0 is out of range: choose 1 to 255",
        ),
        (
            &[(
                "[[interface]]",
                "[log]\nfilter = \"ha_agent=loud\"\n[[interface]]",
            )],
            "ha.toml:5:10: log.filter: \"ha_agent=loud\" is not a filter: write a level, as \"info\", or levels by module, as \
             \"info,ha_agent::api=debug\"",
        ),
    ];
    for (changes, message) in cases {
        let text = with(changes);
        assert_eq!(parse(&text).unwrap_err(), *message, "{text}");
    }
}

#[test]
fn what_must_be_unique() {
    let second = |name: &str, vip: &str, vrid: u8| {
        format!(
            "{GOOD}\n[[group]]\nname = \"{name}\"\ninterface = \"eth0\"\nvips = [\"{vip}\"]\n\
             election = {{ type = \"vrrp\", vrid = {vrid} }}\n"
        )
    };
    let cases = [
        (second("db", "192.0.2.11", 52), None),
        (
            second("web", "192.0.2.11", 52),
            Some(
                "ha.toml:17:8: group.name: \"web\" is already in line 8: \
                 give each group a name of its own",
            ),
        ),
        (
            second("db", "192.0.2.10", 52),
            Some(
                "ha.toml:19:8: group.db.vips: 192.0.2.10 is already in the group \"web\": \
                 remove it from one of them",
            ),
        ),
        (
            second("db", "192.0.2.11", 51),
            Some(
                "ha.toml:20:36: group.db.election.vrid: 51 is already that of the group \"web\" on \
                 this network: choose another one, the same on all nodes of the group",
            ),
        ),
    ];
    for (text, message) in cases {
        assert_eq!(parse(&text).err().as_deref(), message, "{text}");
    }
}

#[test]
fn all_faults_are_told_at_once_in_their_order() {
    let text = with(&[
        ("name = \"alpha\"", "name = \"\"\nlease = \"x\""),
        ("vrid = 51", "vrid = 0"),
        ("\"192.0.2.10\"", "\"192.0.2.0/24\""),
    ]);
    let message = parse(&text).unwrap_err();
    let places: Vec<_> = message
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default())
        .collect();
    assert_eq!(
        places,
        [
            "ha.toml:2:8:",
            "ha.toml:3:9:",
            "ha.toml:11:9:",
            "ha.toml:15:8:"
        ],
        "{message}"
    );
}

#[test]
fn the_example_has_no_faults() {
    let config = parse(include_str!("../../dist/ha-agent.toml")).unwrap();
    assert_eq!(config.groups.len(), 2);
}

#[test]
fn a_missing_file_is_named() {
    let source = Source {
        path: "/nonexistent/ha.toml".into(),
        socket: None,
        pin_dir: None,
    };
    let error = source.read().unwrap_err();
    assert_eq!(
        error.to_string(),
        "/nonexistent/ha.toml:1:1: cannot read it: No such file or directory (os error 2): \
         name the file with --config, or see docs/configuration.md for an example"
    );
}
