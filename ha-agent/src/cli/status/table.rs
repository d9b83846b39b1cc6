//! The status for eyes.

use std::fmt::Write;

use comfy_table::{Table, presets::NOTHING};

use crate::api::types::{Bfd, Check, Group, Guest, Peer, Reason, Status};

/// How many of the newest events are shown.
const EVENTS: usize = 8;

/// The whole status as text.
pub(super) fn render(status: &Status) -> String {
    let mut text = String::new();
    headline(&mut text, status);
    for interface in &status.interfaces {
        let link = match (interface.gone, interface.up) {
            (true, _) => "GONE",
            (false, true) => "up",
            (false, false) => "DOWN",
        };
        let _ = writeln!(
            text,
            "interface {} ({}), {link}, XDP {}",
            interface.name, interface.mac, interface.mode
        );
    }
    notes(&mut text, status);
    if let Some(witness) = &status.witness {
        let _ = writeln!(text, "witness {}: {}", witness.name, witness.state);
    }
    section(&mut text, groups(&status.groups));
    section(&mut text, guests(&status.guests));
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
    if let Some(configuration) = &status.configuration {
        let _ = writeln!(
            text,
            "configuration {} (cksum {}), in force since {}",
            configuration.path,
            configuration.checksum,
            utc(configuration.since)
        );
        if let Some(error) = &configuration.last_error {
            let _ = writeln!(text, "THE LAST RELOAD FAILED: {error}");
        }
    }
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
    if let Some(why) = status.local_clients.strip_prefix("own: ") {
        let _ = writeln!(
            text,
            "PROGRAMS ON THIS HOST do not reach the Active node at virtual IPs: {why}"
        );
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

/// What is not as it should be, and would be overlooked in a table.
fn notes(text: &mut String, status: &Status) {
    for group in &status.groups {
        let Some(why) = &group.mac_note else {
            continue;
        };
        let _ = match group.mac.as_str() {
            "interface" => writeln!(
                text,
                "group {}: ANSWERS WITH THE INTERFACE'S MAC, not the virtual one: {why}",
                group.name
            ),
            _ => writeln!(
                text,
                "group {}: whether its virtual MAC gets through is not known: {why}",
                group.name
            ),
        };
    }
    for peer in &status.peers {
        if let Some(note) = &peer.note {
            let _ = writeln!(
                text,
                "peer {} ({} over {}) {note}",
                peer.name, peer.address, peer.interface
            );
        }
    }
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
        "STALE SENDERS",
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
            place(group),
            stale(group),
            group.cause.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    (!groups.is_empty()).then_some(rows)
}

/// Where it is served, and why not on the first of its interfaces.
fn place(group: &Group) -> String {
    match &group.stands_in {
        None => group.interface.clone(),
        Some(why) => format!("{} ({why})", group.interface),
    }
}

/// How many still use this node for it; those who have not for a minute have learned where it is.
fn stale(group: &Group) -> String {
    const RECENT: f64 = 60.0;
    let senders = group.stale_senders.iter();
    match senders.filter(|sender| sender.seconds_ago < RECENT).count() {
        0 => "-".to_owned(),
        count => count.to_string(),
    }
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

fn guests(guests: &[Guest]) -> Option<Table> {
    let mut rows = table(&["GUEST", "MAC", "FROM", "WAY", "LOST", "SAYS"]);
    for guest in guests {
        rows.add_row([
            guest.interface.clone(),
            guest.mac.clone(),
            guest.from.clone(),
            guest.way.clone(),
            guest
                .lost
                .map_or_else(|| "not counted".to_owned(), |lost| lost.to_string()),
            guest.note.clone(),
        ]);
    }
    (!guests.is_empty()).then_some(rows)
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
mod tests;
