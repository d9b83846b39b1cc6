//! Sessions with routers, and checks that follow them.

use std::time::Duration;

use ha_core::bfd::Micros;

use super::{super::track::Kind, GOOD, parse, with};

const ROUTER: &str = r#"name = "uplink"
interface = "eth0"
address = "192.0.2.1""#;

fn session(text: &str) -> String {
    format!("{GOOD}\n[[bfd]]\n{text}\n")
}

fn micros(millis: u64) -> Micros {
    Duration::from_millis(millis).into()
}

#[test]
fn a_session_has_three_times_50_ms_unless_told_otherwise() {
    let config = parse(&session(ROUTER)).unwrap();
    let bfd = &config.bfd[0];
    assert_eq!((&*bfd.name, &*bfd.interface), ("uplink", "eth0"));
    assert_eq!(bfd.session.desired_min_tx, micros(50));
    assert_eq!(bfd.session.required_min_rx, micros(50));
    assert_eq!(bfd.session.detect_mult.get(), 3);
    assert_eq!(bfd.session.required_min_echo_rx, micros(10));
    assert_eq!(bfd.session.echo_interval, None);
    assert!(!bfd.session.is_passive);
    assert!(parse(GOOD).unwrap().bfd.is_empty());
}

#[test]
fn every_key_is_heeded() {
    let text = format!(
        "{}\ntransmit_interval = \"3ms\"\nreceive_interval = \"10s\"\nmultiplier = 255\n\
         passive = true\necho_receive_interval = \"0ms\"\necho_interval = \"20ms\"",
        ROUTER.replace("192.0.2.1", "fe80::1")
    );
    let config = parse(&session(&text)).unwrap();
    let bfd = &config.bfd[0];
    assert!(bfd.address.is_ipv6());
    assert_eq!(bfd.session.desired_min_tx, micros(3));
    assert_eq!(bfd.session.required_min_rx, micros(10_000));
    assert_eq!(bfd.session.detect_mult.get(), 255);
    assert_eq!(bfd.session.required_min_echo_rx, Micros::ZERO);
    assert_eq!(bfd.session.echo_interval, Some(micros(20)));
    assert!(bfd.session.is_passive);
}

#[test]
fn what_cannot_be_a_session_is_said_with_its_mend() {
    let other = ROUTER.replace("uplink", "other");
    for (text, what) in [
        (ROUTER.replace("eth0", "eth7"), "no interface \"eth7\""),
        (
            ROUTER.replace("192.0.2.1", "224.0.0.1"),
            "not a single host's",
        ),
        (ROUTER.replace("192.0.2.1", "router"), "not a single host's"),
        (ROUTER.replace("192.0.2.1", "192.0.2.10"), "is a virtual IP"),
        (
            format!("{ROUTER}\ntransmit_interval = \"2ms\""),
            "choose 3ms to 10s",
        ),
        (
            format!("{ROUTER}\nreceive_interval = \"11s\""),
            "choose 3ms to 10s",
        ),
        (format!("{ROUTER}\nmultiplier = 0"), "choose 1 to 255"),
        (
            format!("{ROUTER}\necho_receive_interval = \"11s\""),
            "choose 0s to 10s",
        ),
        (
            format!("{ROUTER}\necho_interval = \"0ms\""),
            "choose 3ms to 10s",
        ),
        (format!("{ROUTER}\ninterval = \"1s\""), "unknown field"),
        (
            format!("{ROUTER}\n[[bfd]]\n{ROUTER}"),
            "\"uplink\" is already in line",
        ),
        (
            format!("{ROUTER}\n[[bfd]]\n{other}"),
            "192.0.2.1 over eth0 is already in line",
        ),
    ] {
        let fault = parse(&session(&text)).unwrap_err();
        assert!(fault.contains(what), "{text}: {fault}");
    }
}

#[test]
fn a_check_follows_a_session() {
    let tracked = with(&[("vips = [", "track = [{ check = \"it\" }]\nvips = [")]);
    let checked = |check: &str| {
        parse(&format!(
            "{tracked}\n[[bfd]]\n{ROUTER}\n[[check]]\nname = \"it\"\ntype = \"bfd\"\n{check}\n"
        ))
    };
    let config = checked("session = \"uplink\"").unwrap();
    assert_eq!(config.checks[0].kind, Kind::Bfd { session: 0 });
    assert_eq!(config.checks[0].kind.name(), "bfd");
    for (check, what) in [
        ("", "add session"),
        ("session = \"other\"", "there is no session \"other\""),
        (
            "session = \"uplink\"\nfile = \"/a\"",
            "its keys are session",
        ),
    ] {
        let fault = checked(check).unwrap_err();
        assert!(fault.contains(what), "{check}: {fault}");
    }
}
