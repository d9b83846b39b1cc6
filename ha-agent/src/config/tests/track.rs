//! Checks, tracks and groups that move together.

use std::time::Duration;

use ha_core::track::Effect;

use super::{
    super::track::{Kind, Process, Track},
    GOOD, parse, with,
};

/// The good file with a check and the group's `track`.
fn checked(check: &str, track: &str) -> String {
    let text = with(&[("vips = [", &format!("track = [{track}]\nvips = ["))]);
    format!("{text}\n[[check]]\nname = \"it\"\n{check}\n")
}

fn kind(check: &str) -> Kind {
    let config = parse(&checked(check, "{ check = \"it\" }")).unwrap();
    config.checks[0].kind.clone()
}

fn fault(check: &str) -> String {
    parse(&checked(check, "{ check = \"it\" }")).unwrap_err()
}

#[test]
fn each_type_has_its_keys() {
    let script = kind("type = \"script\"\ncommand = [\"/bin/true\", \"-x\"]");
    assert!(matches!(script, Kind::Script { command } if command.len() == 2));
    let process = kind("type = \"process\"\nprocess = \"nginx\"");
    assert_eq!(process, Kind::Process(Process::Name("nginx".to_owned())));
    let tcp = kind("type = \"tcp\"\naddress = \"[::1]:80\"");
    assert!(matches!(tcp, Kind::Tcp { address } if address.port() == 80));
    let Kind::Http(http) = kind("type = \"http\"\nurl = \"http://localhost/a?b\"") else {
        panic!("it is http");
    };
    assert_eq!((&*http.server, &*http.path), ("localhost:80", "/a?b"));
    let Kind::Route(route) = kind("type = \"route\"\ndestination = \"0.0.0.0/0\"") else {
        panic!("it is a route");
    };
    assert_eq!(route.destination.1, 0);
    kind("type = \"file\"\nfile = \"/run/weight\"");
    kind("type = \"interface\"\ninterface = \"eth1\"");
}

#[test]
fn what_is_missing_or_foreign_is_said_with_its_mend() {
    for (check, what) in [
        ("type = \"script\"", "names no program"),
        ("type = \"process\"", "write process = "),
        ("type = \"tcp\"", "add address"),
        ("type = \"tcp\"\naddress = \"localhost\"", "cannot be read"),
        (
            "type = \"http\"\nurl = \"https://a/\"",
            "for https use a script",
        ),
        (
            "type = \"route\"\ndestination = \"10.0.0.0/33\"",
            "is no network",
        ),
        (
            "type = \"file\"\nfile = \"/a\"\nurl = \"b\"",
            "has no such key",
        ),
        ("type = \"ping\"", "is not known"),
        (
            "type = \"file\"\nfile = \"/a\"\ninterval = \"1ms\"",
            "out of range",
        ),
    ] {
        let fault = fault(check);
        assert!(fault.contains(what), "{check}: {fault}");
    }
}

#[test]
fn the_timeout_is_the_interval_unless_told_otherwise() {
    let check = "type = \"file\"\nfile = \"/a\"\ninterval = \"200ms\"\nfall = 3";
    let config = parse(&checked(check, "{ check = \"it\" }")).unwrap();
    let check = &config.checks[0];
    assert_eq!(check.timeout, Duration::from_millis(200));
    assert_eq!((check.rise, check.fall), (1, 3));
}

#[test]
fn without_a_weight_a_check_is_a_hard_fault() {
    let tcp = "type = \"tcp\"\naddress = \"127.0.0.1:80\"";
    let file = "type = \"file\"\nfile = \"/a\"";
    for (check, track, effect) in [
        (tcp, "{ check = \"it\" }", Effect::Fault),
        (tcp, "{ check = \"it\", weight = -20 }", Effect::Weight(-20)),
        (file, "{ check = \"it\" }", Effect::Factor(1)),
        (file, "{ check = \"it\", weight = 2 }", Effect::Factor(2)),
    ] {
        let config = parse(&checked(check, track)).unwrap();
        assert_eq!(config.groups[0].track, [Track { check: 0, effect }]);
        assert!(config.groups[0].track_interface);
    }
}

#[test]
fn tracks_name_checks_and_checks_are_tracked() {
    let tcp = "type = \"tcp\"\naddress = \"127.0.0.1:80\"";
    let unknown = parse(&checked(tcp, "{ check = \"other\" }")).unwrap_err();
    assert!(unknown.contains("there is no check \"other\""), "{unknown}");
    assert!(unknown.contains("no group tracks it"), "{unknown}");
    let zero = parse(&checked(tcp, "{ check = \"it\", weight = 0 }")).unwrap_err();
    assert!(zero.contains("does nothing"), "{zero}");
    let far = parse(&checked(tcp, "{ check = \"it\", weight = 254 }")).unwrap_err();
    assert!(far.contains("-253 to 253"), "{far}");
}

/// The good file with a second group and a sync.
fn synced(groups: &str) -> String {
    format!(
        r#"{GOOD}
[[group]]
name = "db"
interface = "eth0"
vips = ["192.0.2.11"]
[group.election]
type = "vrrp"
vrid = 52

[[sync]]
name = "both"
groups = [{groups}]
"#
    )
}

#[test]
fn a_sync_names_groups() {
    let config = parse(&synced("\"web\", \"db\"")).unwrap();
    assert_eq!(config.syncs[0].groups, [0, 1]);
    for (groups, what) in [
        ("\"web\"", "fewer than two"),
        ("\"web\", \"mail\"", "there is no group \"mail\""),
        ("\"web\", \"web\"", "already in the sync"),
    ] {
        let fault = parse(&synced(groups)).unwrap_err();
        assert!(fault.contains(what), "{groups}: {fault}");
    }
    let manual = synced("\"web\", \"db\"").replacen("vrrp", "manual", 1);
    let fault = parse(&manual).unwrap_err();
    assert!(fault.contains("so its manager moves it"), "{fault}");
}
