//! The status as it is shown.

use super::*;
use crate::api::types::{Agent, Event, Interface, Lease, RoundTrip, StaleSender};

fn status() -> Status {
    Status {
        node: "alpha".to_owned(),
        agent: Some(Agent {
            version: "0.1.0".to_owned(),
            pid: 7,
            uptime_seconds: 60,
        }),
        configuration: None,
        duty: "serve".to_owned(),
        local_clients: "active".to_owned(),
        schema: 1,
        pin_dir: "/sys/fs/bpf/ha/2".to_owned(),
        lease: Lease {
            state: "valid".to_owned(),
            grants: 1,
            length_ms: 200.0,
            renewals: 1200,
            lapses: 0,
        },
        interfaces: vec![Interface {
            name: "eth0".to_owned(),
            index: 2,
            mode: "native".to_owned(),
            mac: "02:00:00:00:00:01".to_owned(),
            up: true,
            gone: false,
        }],
        groups: vec![Group {
            name: "web".to_owned(),
            id: 0,
            role: "active".to_owned(),
            fenced: None,
            active: None,
            epoch: 3,
            election: "vrrp".to_owned(),
            version: Some(3),
            peers: Vec::new(),
            vrid: Some(51),
            priority: Some(200),
            configured_priority: Some(200),
            eligible: true,
            hands_over: false,
            interface: "eth0".to_owned(),
            stands_in: None,
            ways: Vec::new(),
            mac4: "00:00:5e:00:01:33".to_owned(),
            mac6: "00:00:5e:00:02:33".to_owned(),
            mac: "virtual".to_owned(),
            mac_note: None,
            vips: 2,
            cause: Some("nobody was Active".to_owned()),
            since: Some(0.0),
            traffic: Vec::new(),
            stale_senders: Vec::new(),
        }],
        guests: Vec::new(),
        peers: Vec::new(),
        witness: None,
        bfd: Vec::new(),
        checks: vec![Check {
            name: "web".to_owned(),
            kind: "tcp".to_owned(),
            state: "up".to_owned(),
            since: 0.0,
            note: "accepts connections".to_owned(),
            groups: vec!["web".to_owned()],
        }],
        reasons: Vec::new(),
        events: vec![Event {
            time: 1_000_000_000.125,
            group: None,
            kind: "started".to_owned(),
            text: "the agent started".to_owned(),
        }],
    }
}

#[test]
fn a_quiet_node_fits_a_screen() {
    let text = render(&status());
    assert!(text.starts_with("node alpha, ha-agent 0.1.0 (pid 7, up 60 s)\nlease valid (200 ms"));
    assert!(text.contains("interface eth0 (02:00:00:00:00:01), up, XDP native"));
    assert!(text.contains("2001-09-09T01:46:40.125Z node: the agent started"));
    assert!(text.lines().count() < 24);
}

#[test]
fn what_is_in_force_is_seen_and_why_nothing_else_is() {
    let mut reloaded = status();
    let mut configuration = crate::api::types::Configuration {
        path: "/etc/ha-agent/ha-agent.toml".to_owned(),
        checksum: "930766865".to_owned(),
        since: 1_000_000_000.0,
        last_reload: None,
        last_error: None,
    };
    reloaded.configuration = Some(configuration.clone());
    let text = render(&reloaded);
    let line = "configuration /etc/ha-agent/ha-agent.toml (cksum 930766865), in force since \
                2001-09-09T01:46:40.000Z";
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("RELOAD"));
    configuration.last_error = Some("ha-agent.toml:3:8: it is wrong".to_owned());
    reloaded.configuration = Some(configuration);
    let text = render(&reloaded);
    assert!(text.contains("THE LAST RELOAD FAILED: ha-agent.toml:3:8: it is wrong"));
}

#[test]
fn what_checks_do_is_seen() {
    let mut checked = status();
    checked.groups[0].priority = Some(180);
    assert!(render(&checked).contains("180 (of 200)"));
    checked.checks[0].state = "down".to_owned();
    checked.checks[0].note = "connection refused".to_owned();
    checked.groups[0].eligible = false;
    let text = render(&checked);
    assert!(text.contains("not eligible") && text.contains("connection refused"));
}

#[test]
fn what_would_be_overlooked_has_a_line() {
    let mut noted = status();
    noted.groups[0].mac_note = Some("eth0: nobody answers of 192.0.2.2".to_owned());
    let line = "group web: whether its virtual MAC gets through is not known: eth0: nobody answers";
    assert!(render(&noted).contains(line));
    noted.groups[0].mac = "interface".to_owned();
    let line = "group web: ANSWERS WITH THE INTERFACE'S MAC, not the virtual one: eth0: nobody";
    assert!(render(&noted).contains(line));
}

#[test]
fn how_a_guest_is_reached_is_seen() {
    let mut hosting = status();
    hosting.guests.push(Guest {
        interface: "tap0".to_owned(),
        mac: "52:54:00:00:00:01".to_owned(),
        from: "eth0".to_owned(),
        way: "bridged".to_owned(),
        note: "its driver takes no redirected frames".to_owned(),
        lost: None,
    });
    let text = render(&hosting);
    for part in ["tap0", "eth0", "bridged", "not counted", "its driver takes"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn why_a_group_is_not_on_its_first_interface_is_seen() {
    let mut moved = status();
    "eth1".clone_into(&mut moved.groups[0].interface);
    assert!(!render(&moved).contains("eth1 ("));
    moved.groups[0].stands_in = Some("eth0 reaches none of its ping targets".to_owned());
    let text = render(&moved);
    assert!(
        text.contains("eth1 (eth0 reaches none of its ping targets)"),
        "{text}"
    );
}

#[test]
fn those_who_still_use_a_backup_are_counted() {
    let mut moved = status();
    let sender = |seconds_ago| StaleSender {
        address: "192.0.2.77".parse().unwrap(),
        mac: "02:00:00:00:00:77".to_owned(),
        packets: 9,
        seconds_ago,
    };
    assert_eq!(stale(&moved.groups[0]), "-");
    moved.groups[0].stale_senders = vec![sender(0.5), sender(59.0), sender(61.0)];
    assert_eq!(stale(&moved.groups[0]), "2");
    assert!(render(&moved).contains("STALE SENDERS"));
}

#[test]
fn how_far_the_probes_are_from_a_false_alarm_is_seen() {
    let mut probing = status();
    probing.peers.push(Peer {
        name: "beta".to_owned(),
        interface: "eth0".to_owned(),
        address: "192.0.2.2".parse().unwrap(),
        state: "up".to_owned(),
        hears_us: Some(false),
        interval_ms: 3.0,
        multiplier: 3,
        round_trip: Some(RoundTrip {
            last_us: 40.0,
            mean_us: 45.4,
            longest_us: 812.0,
        }),
        longest_silence_ms: 3.41,
        replies: 9,
        requests: 9,
        note: None,
    });
    let text = render(&probing);
    for part in [
        "up, does not hear us",
        "3 ms x 3",
        "45 us (longest 812)",
        "3.4 ms",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_session_says_what_both_ends_say() {
    let mut routed = status();
    routed.bfd.push(Bfd {
        name: "uplink".to_owned(),
        interface: "eth0".to_owned(),
        address: "192.0.2.1".parse().unwrap(),
        state: "down".to_owned(),
        diagnostic: "detection_time_expired".to_owned(),
        remote_state: Some("up".to_owned()),
        remote_diagnostic: Some("none".to_owned()),
        discriminator: 7,
        remote_discriminator: Some(8),
        transmit_interval_ms: 1000.0,
        detection_time_ms: Some(150.0),
        up_since: None,
        since: 0.0,
        ups: 1,
        packets_in: 12,
        packets_out: 13,
        echo_active: true,
        echoes_in: 6,
        echoes_out: 9,
        discards: [("version".to_owned(), 2), ("hop_limit".to_owned(), 3)].into(),
    });
    let text = render(&routed);
    let line = text.lines().find(|line| line.contains("uplink")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    let expected =
        "uplink eth0 192.0.2.1 down (detection_time_expired) up 1000 ms 150 ms - 12/13 6/9 5";
    assert_eq!(words.join(" "), expected);
}

#[test]
fn a_fenced_node_says_so_twice() {
    let mut fenced = status();
    fenced.agent = None;
    fenced.lease.state = "lapsed".to_owned();
    fenced.groups[0].fenced = Some("lease_lapsed".to_owned());
    let text = render(&fenced);
    assert!(text.contains("THE AGENT DOES NOT RUN"));
    assert!(text.contains("the node is FENCED"));
    assert!(text.contains("active (fenced: lease_lapsed)"));
}

#[test]
fn whom_programs_on_the_host_reach_is_said_only_if_it_is_the_wrong_one() {
    let mut own = status();
    for reach in ["active", "own", ""] {
        reach.clone_into(&mut own.local_clients);
        assert!(!render(&own).contains("PROGRAMS ON THIS HOST"), "{reach}");
    }
    "own: no such hook".clone_into(&mut own.local_clients);
    let text = render(&own);
    assert!(
        text.contains("PROGRAMS ON THIS HOST do not reach"),
        "{text}"
    );
    assert!(text.contains(": no such hook\n"), "{text}");
}
