//! What Wireshark's dissectors think of a capture.

use std::{path::Path, process::Command};

use anyhow::Result;

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

fn read(capture: &Path, filter: &str) -> Result<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark
        .args(["-n", "-o", "ip.check_checksum:TRUE", "-r"])
        .arg(capture)
        .args(["-Y", filter]);
    let printed = command::run(&mut tshark)?;
    Ok(printed.lines().map(str::to_owned).collect())
}
