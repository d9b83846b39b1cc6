//! What Wireshark's dissectors think of a capture.

use std::{net::IpAddr, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::command;

/// The checksum of VRRP version 3 over IPv4 covers the message alone for one reading of the standard, and a
/// pseudo-header too for another. The dissector knows the second one only, so of the first one its
/// verdict on that field is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// All checksums must be right.
    Strict,
    /// All but that of VRRP.
    NotOfVrrp,
}

/// The packets of `capture` from the IP address `source` with which something is wrong, a line each; and
/// how many VRRP packets from there the capture holds.
///
/// # Errors
///
/// When `tshark` fails.
pub fn faults(capture: &Path, source: &str, checksum: Checksum) -> Result<(Vec<String>, usize)> {
    let field = if source.contains(':') {
        "ipv6.src"
    } else {
        "ip.src"
    };
    let from = format!("{field} == {source} && vrrp");
    let mut wrong =
        "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == Bad".to_owned();
    if checksum == Checksum::Strict {
        wrong.push_str(" || vrrp.checksum.status == Bad");
    }
    let faults = read(capture, &format!("{from} && ({wrong})"))?;
    Ok((faults, read(capture, &from)?.len()))
}

/// The same of BFD control packets, which must have right checksums.
///
/// # Errors
///
/// When `tshark` fails.
pub fn bfd_faults(capture: &Path, source: IpAddr) -> Result<(Vec<String>, usize)> {
    let from = format!("{} && bfd", from(source));
    let wrong = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == Bad \
                 || udp.checksum.status == Bad";
    let faults = read(capture, &format!("{from} && ({wrong})"))?;
    Ok((faults, read(capture, &from)?.len()))
}

/// When the packets of `capture` went by that `filter` chooses, seconds since 1970.
///
/// # Errors
///
/// When `tshark` fails.
pub fn times(capture: &Path, filter: &str) -> Result<Vec<f64>> {
    let mut tshark = tshark(capture, filter);
    tshark.args(["-T", "fields", "-e", "frame.time_epoch"]);
    let printed = command::run(&mut tshark)?;
    let read = |line: &str| line.parse().with_context(|| format!("no time: {line}"));
    printed.lines().map(read).collect()
}

/// A filter for what comes from an address.
#[must_use]
pub fn from(source: IpAddr) -> String {
    match source {
        IpAddr::V4(v4) => format!("ip.src == {v4}"),
        IpAddr::V6(v6) => format!("ipv6.src == {v6}"),
    }
}

fn read(capture: &Path, filter: &str) -> Result<Vec<String>> {
    let printed = command::run(&mut tshark(capture, filter))?;
    Ok(printed.lines().map(str::to_owned).collect())
}

fn tshark(capture: &Path, filter: &str) -> Command {
    let mut tshark = Command::new("tshark");
    for checked in ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE"] {
        tshark.args(["-o", checked]);
    }
    tshark.args(["-n", "-r"]).arg(capture).args(["-Y", filter]);
    tshark
}
