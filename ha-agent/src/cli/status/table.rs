//! The status for eyes.

use std::fmt::Write;

use comfy_table::{Table, presets::NOTHING};

use crate::api::types::{Bfd, Check, Group, Peer, Reason, Status};

/// How many of the newest events are shown.
const EVENTS: usize = 8;

/// The whole status as text.
pub(super) fn render(status: &Status) -> String {
    let mut text = String::new();
    headline(&mut text, status);
    for interface in &status.interfaces {
        let link = if interface.up { "up" } else { "DOWN" };
        let _ = writeln!(
            text,
            "interface {} ({}), {link}, XDP {}",
            interface.name, interface.mac, interface.mode
        );
    }
    if let Some(witness) = &status.witness {
        let _ = writeln!(text, "witness {}: {}", witness.name, witness.state);
    }
    section(&mut text, groups(&status.groups));
    section(&mut text, peers(&status.peers));
    section(&mut text, bfd(&status.bfd));
    section(&mut text, checks(&status.checks));
    section(&mut text, reasons(&status.reasons));
    events(&mut text, status);
    text
}

fn headline(text: &mut String, status: &Status) {
    let _ = match &status.agent {
        Some(agent) => writeln!(
            text,
            "node {}, ha-agent {} (pid {}, up {} s)",
            status.node, agent.version, agent.pid, agent.uptime_seconds
        ),
        None => writeln!(
            text,
            "THE AGENT DOES NOT RUN or does not answer; this is what the kernel has in {}",
            status.pin_dir
        ),
    };
    match status.duty.as_str() {
        "drained" => {
            text.push_str(
                "DRAINED: serves only what nobody else can (`ha-agent undrain` ends it)\n",
            );
        }
        "maintenance" => {
            text.push_str("IN MAINTENANCE: serves nothing (`ha-agent maintenance off` ends it)\n");
        }
        _ => {}
    }
    let lease = &status.lease;
    let consequence = match lease.state.as_str() {
        "valid" => "",
        _ => ": the node is FENCED and answers for no virtual IP",
    };
    let _ = writeln!(
        text,
        "lease {}{consequence} ({} ms, granted {} times, lapsed {} times)",
        lease.state, lease.length_ms, lease.grants, lease.lapses
    );
}

fn section(text: &mut String, table: Option<Table>) {
    if let Some(table) = table {
        let _ = writeln!(text, "\n{}", table.trim_fmt());
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    table
}

fn groups(groups: &[Group]) -> Option<Table> {
    let mut rows = table(&[
        "GROUP",
        "ROLE",
        "ACTIVE PEER",
        "EPOCH",
        "PRIORITY",
        "VIPS",
        "INTERFACE",
        "WHY",
    ]);
    for group in groups {
        let role = match &group.fenced {
            Some(fence) => format!("{} (fenced: {fence})", group.role),
            None if group.hands_over => format!("{}, hands over", group.role),
            None => group.role.clone(),
        };
        rows.add_row([
            group.name.clone(),
            role,
            group
                .active
                .map_or_else(|| "-".to_owned(), |peer| peer.to_string()),
            group.epoch.to_string(),
            priority(group),
            group.vips.to_string(),
            group.interface.clone(),
            group.cause.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    (!groups.is_empty()).then_some(rows)
}

/// The priority, and what it would be without checks and promotions.
fn priority(group: &Group) -> String {
    match (group.priority, group.configured_priority) {
        _ if !group.eligible => "not eligible".to_owned(),
        (Some(now), Some(configured)) if now != configured => format!("{now} (of {configured})"),
        (Some(now), _) => now.to_string(),
        (None, _) => "-".to_owned(),
    }
}

fn peers(peers: &[Peer]) -> Option<Table> {
    let mut rows = table(&[
        "PEER",
        "INTERFACE",
        "ADDRESS",
        "STATE",
        "PROBED EACH",
        "ROUND TRIP",
        "LONGEST SILENCE",
    ]);
    for peer in peers {
        let trip = peer.round_trip.as_ref();
        rows.add_row([
            peer.name.clone(),
            peer.interface.clone(),
            peer.address.to_string(),
            match peer.hears_us {
                Some(false) => format!("{}, does not hear us", peer.state),
                Some(true) | None => peer.state.clone(),
            },
            format!("{} ms x {}", peer.interval_ms, peer.multiplier),
            trip.map_or_else(
                || "-".to_owned(),
                |trip| format!("{:.0} us (longest {:.0})", trip.mean_us, trip.longest_us),
            ),
            format!("{:.1} ms", peer.longest_silence_ms),
        ]);
    }
    (!peers.is_empty()).then_some(rows)
}

fn bfd(sessions: &[Bfd]) -> Option<Table> {
    let mut rows = table(&[
        "BFD",
        "INTERFACE",
        "ROUTER",
        "STATE",
        "ITS STATE",
        "SENT EACH",
        "DOWN AFTER",
        "UP SINCE",
        "IN/OUT",
        "ECHOES",
        "DISCARDED",
    ]);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    for session in sessions {
        let remote = session.remote_state.as_ref().map(|state| {
            let diagnostic = session.remote_diagnostic.as_deref().unwrap_or("none");
            with_diagnostic(state, diagnostic)
        });
        rows.add_row([
            session.name.clone(),
            session.interface.clone(),
            session.address.to_string(),
            with_diagnostic(&session.state, &session.diagnostic),
            or_dash(remote),
            format!("{} ms", session.transmit_interval_ms),
            or_dash(session.detection_time_ms.map(|time| format!("{time} ms"))),
            or_dash(session.up_since.map(utc)),
            format!("{}/{}", session.packets_in, session.packets_out),
            or_dash(
                (session.echoes_out > 0)
                    .then(|| format!("{}/{}", session.echoes_in, session.echoes_out)),
            ),
            session.discards.values().sum::<u64>().to_string(),
        ]);
    }
    (!sessions.is_empty()).then_some(rows)
}

fn with_diagnostic(state: &str, diagnostic: &str) -> String {
    if diagnostic == "none" {
        state.to_owned()
    } else {
        format!("{state} ({diagnostic})")
    }
}

/// Those of interfaces only when they are not well: that an interface is up is said above.
fn checks(checks: &[Check]) -> Option<Table> {
    let mut rows = table(&["CHECK", "TYPE", "STATE", "SAYS", "GROUPS"]);
    let is_of_interest = |check: &&Check| check.kind != "interface" || check.state != "up";
    for check in checks.iter().filter(is_of_interest) {
        rows.add_row([
            check.name.clone(),
            check.kind.clone(),
            check.state.clone(),
            check.note.clone(),
            check.groups.join(", "),
        ]);
    }
    (rows.row_count() > 0).then_some(rows)
}

fn reasons(reasons: &[Reason]) -> Option<Table> {
    let mut rows = table(&["FRAMES FOR VIRTUAL IPS", "VERDICT", "PACKETS", "BYTES"]);
    for reason in reasons {
        rows.add_row([
            reason.reason.clone(),
            reason.verdict.clone(),
            reason.packets.to_string(),
            reason.bytes.to_string(),
        ]);
    }
    (!reasons.is_empty()).then_some(rows)
}

fn events(text: &mut String, status: &Status) {
    let first = status.events.len().saturating_sub(EVENTS);
    let newest = &status.events[first..];
    if newest.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nNEWEST EVENTS");
    for event in newest {
        let group = event.group.as_deref().unwrap_or("node");
        let _ = writeln!(text, "{} {group}: {}", utc(event.time), event.text);
    }
}

/// Seconds since 1970 as `2026-03-01T12:00:00.125Z`.
fn utc(seconds: f64) -> String {
    let since = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
    humantime::format_rfc3339_millis(std::time::UNIX_EPOCH + since).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{Agent, Event, Interface, Lease, RoundTrip};

    fn status() -> Status {
        Status {
            node: "alpha".to_owned(),
            agent: Some(Agent {
                version: "0.1.0".to_owned(),
                pid: 7,
                uptime_seconds: 60,
            }),
            duty: "serve".to_owned(),
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
                mac4: "00:00:5e:00:01:33".to_owned(),
                mac6: "00:00:5e:00:02:33".to_owned(),
                vips: 2,
                cause: Some("nobody was Active".to_owned()),
                since: Some(0.0),
                traffic: Vec::new(),
            }],
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
        assert!(
            text.starts_with("node alpha, ha-agent 0.1.0 (pid 7, up 60 s)\nlease valid (200 ms")
        );
        assert!(text.contains("interface eth0 (02:00:00:00:00:01), up, XDP native"));
        assert!(text.contains("2001-09-09T01:46:40.125Z node: the agent started"));
        assert!(text.lines().count() < 24);
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
}
