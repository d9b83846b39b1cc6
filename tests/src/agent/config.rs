//! What an agent of the lab is told, as a file.

use std::{fmt::Write, net::IpAddr, path::Path, time::Duration};

use super::{GROUP, Setup};
use crate::{
    cluster::AnsweringMac,
    node::{INTERFACE, Node},
};

/// Another node, to be probed over both families.
#[must_use]
pub fn peer(other: &Node, interval: Duration) -> String {
    format!(
        "[[peer]]\nname = \"{}\"\ninterval = \"{}ms\"\npaths = [\n  \
         {{ interface = \"{INTERFACE}\", address = \"{}\" }},\n  \
         {{ interface = \"{INTERFACE}\", address = \"{}\" }},\n]\n",
        other.name(),
        interval.as_millis(),
        other.station().v4,
        other.link_local(),
    )
}

/// Ends with the table of the node, to which more can be added.
pub(super) fn common(node: &Node, socket: &Path) -> String {
    format!(
        r#"[control]
socket = "{socket}"

[[interface]]
name = "{INTERFACE}"

[node]
name = "{name}"
pin_dir = "{pins}"
"#,
        name = node.name(),
        pins = node.pins().display(),
        socket = socket.display(),
    )
}

pub(super) fn config(setup: &Setup<'_>) -> String {
    let Setup {
        service,
        priority,
        node,
        group,
        election,
        tables,
    } = setup;
    let mut vips = String::new();
    for range in ranges(&service.vips) {
        let _ = writeln!(vips, "    \"{range}\",");
    }
    format!(
        r#"lease = "{lease}ms"
{node}
[[group]]
name = "{GROUP}"
interface = "{INTERFACE}"
mac = "{mac}"
vips = [
{vips}]
{group}
[group.election]
type = "vrrp"
vrid = {vrid}
priority = {priority}
advert_interval = "{interval}ms"
{election}
{tables}"#,
        lease = service.lease.as_millis(),
        mac = match service.mac {
            AnsweringMac::Virtual => "virtual",
            AnsweringMac::Interface => "interface",
        },
        vrid = service.vrid,
        interval = service.advert_interval.as_millis(),
    )
}

/// Writes runs of consecutive addresses as `first-last`.
fn ranges(vips: &[IpAddr]) -> Vec<String> {
    vips.chunk_by(|one, next| follows(*one, *next))
        .map(|run| match run {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}-{last}"),
            [] => unreachable!("a chunk has elements"),
        })
        .collect()
}

fn follows(one: IpAddr, next: IpAddr) -> bool {
    match (one, next) {
        (IpAddr::V4(one), IpAddr::V4(next)) => one.to_bits().checked_add(1) == Some(next.to_bits()),
        (IpAddr::V6(one), IpAddr::V6(next)) => one.to_bits().checked_add(1) == Some(next.to_bits()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_addresses_become_ranges() {
        let vips = [
            "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.9", "fd00::1", "fd00::2",
        ]
        .map(|vip| vip.parse().expect("an address"));
        assert_eq!(
            ranges(&vips),
            ["10.0.0.1-10.0.0.3", "10.0.0.9", "fd00::1-fd00::2"]
        );
    }
}
