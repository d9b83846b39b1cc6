//! Other interfaces of the node on which a group may be served.

use std::time::Duration;

use super::{parse, with};

/// The good file with two interfaces more, and this table.
fn text(local: &str) -> String {
    let text = with(&[(
        "[group.election]",
        &format!("[group.local]\n{local}\n[group.election]"),
    )]);
    format!("{text}\n[[interface]]\nname = \"eth1\"\n[[interface]]\nname = \"eth2\"\n")
}

#[test]
fn they_are_in_order_and_it_goes_back_unless_told_otherwise() {
    let config = parse(&text("fallback = [\"eth2\", \"eth1\"]")).unwrap();
    let group = &config.groups[0];
    let names: Vec<_> = group.interfaces().collect();
    assert_eq!(names, ["eth0", "eth2", "eth1"]);
    let after = |local: &str| {
        let config = parse(&text(&format!("fallback = [\"eth1\"]\n{local}"))).unwrap();
        config.groups[0].local.clone().unwrap().returns_after
    };
    assert_eq!(after(""), Some(Duration::from_secs(5)));
    assert_eq!(
        after("return_delay = \"1m\""),
        Some(Duration::from_secs(60))
    );
    assert_eq!(after("return = \"never\""), None);
}

#[test]
fn targets_are_pinged_each_second_and_silent_after_three_unless_told_otherwise() {
    let ping = |keys: &str| {
        let config = parse(&text(&format!("fallback = [\"eth1\"]\n{keys}"))).unwrap();
        config.groups[0].local.clone().unwrap().ping
    };
    assert_eq!(ping(""), None);
    let found = ping("ping = [\"192.0.2.1\", \"fe80::1\"]").unwrap();
    let targets: Vec<_> = found.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["192.0.2.1", "fe80::1"]);
    assert_eq!((found.interval, found.fall), (Duration::from_secs(1), 3));
    let found = ping("ping = [\"192.0.2.1\"]\nping_interval = \"100ms\"\nping_fall = 5").unwrap();
    assert_eq!(
        (found.interval, found.fall),
        (Duration::from_millis(100), 5)
    );
}

#[test]
fn each_fault_of_the_targets_has_its_place_and_its_mend() {
    for (keys, told) in [
        ("ping = []", "the list is empty"),
        (
            "ping = [\"router\"]",
            "\"router\" is not a single host's address",
        ),
        (
            "ping = [\"192.0.2.0/24\"]",
            "is not a single host's address",
        ),
        (
            "ping = [\"192.0.2.1\", \"192.0.2.1\"]",
            "192.0.2.1 is in the list already",
        ),
        (
            "ping = [\"192.0.2.10\"]",
            "192.0.2.10 is a virtual IP of this node",
        ),
        ("ping_fall = 2", "nobody is pinged: add ping = "),
        ("ping_interval = \"2s\"", "nobody is pinged: add ping = "),
        ("ping = [\"192.0.2.1\"]\nping_fall = 1", "choose 2 to 100"),
        (
            "ping = [\"192.0.2.1\"]\nping_interval = \"1ms\"",
            "choose 20ms to 1m",
        ),
    ] {
        let error = parse(&text(&format!("fallback = [\"eth1\"]\n{keys}"))).unwrap_err();
        assert!(error.contains(told), "{error}");
        assert!(error.contains("group.web.local.ping"), "{error}");
    }
    let many: Vec<_> = (1..10).map(|last| format!("\"192.0.2.{last}\"")).collect();
    let keys = format!("fallback = [\"eth1\"]\nping = [{}]", many.join(", "));
    let error = parse(&text(&keys)).unwrap_err();
    assert!(error.contains("9 targets are more than 8"), "{error}");
}

#[test]
fn each_fault_has_its_mend() {
    for (local, told) in [
        ("fallback = []", "the list is empty"),
        ("fallback = [\"eth9\"]", "there is no interface \"eth9\""),
        ("fallback = [\"eth0\"]", "served on eth0 already"),
        ("fallback = [\"eth1\", \"eth1\"]", "served on eth1 already"),
        (
            "fallback = [\"eth1\"]\nreturn = \"soon\"",
            "\"soon\" is not known",
        ),
    ] {
        let error = parse(&text(local)).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    let other = "[[group]]\nname = \"db\"\ninterface = \"eth1\"\nvips = [\"192.0.2.20\"]\n\
                 election = { type = \"vrrp\", vrid = 51 }\n";
    let error = parse(&(text("fallback = [\"eth1\"]") + other)).unwrap_err();
    assert!(
        error.contains("51 is already that of the group \"web\" on this network"),
        "{error}"
    );
    let text =
        text("fallback = [\"eth1\"]").replacen("vips = [", "track_interface = false\nvips = [", 1);
    let error = parse(&text).unwrap_err();
    assert!(error.contains("remove track_interface = false"), "{error}");
}
