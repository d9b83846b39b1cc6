//! `[[peer]]`: the nodes whose liveness is watched.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use ha_common::{
    abi::MAX_LIVE,
    wire::{ipv4, ipv6},
};
use ha_core::sbfd;

use super::{
    super::{
        Peer, PeerPath,
        error::Report,
        file,
        value::{duration, number},
    },
    optional,
};

const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(10);
const MULTIPLIERS: std::ops::RangeInclusive<i64> = 2..=100;
const MULTIPLIER: u32 = 3;

pub(super) fn peers(file: &file::File, report: &mut Report<'_>) -> Option<Vec<Peer>> {
    let mut lines = HashMap::new();
    let mut paths = 0;
    let peers: Vec<_> = file
        .peer
        .iter()
        .map(|peer| {
            let name = peer.name.get_ref();
            let line = report.line(peer.name.span());
            let twice = lines
                .insert(name, line)
                .map(|first| format!("\"{name}\" is already in line {first}"));
            let own =
                (name == file.node.name.get_ref()).then(|| format!("\"{name}\" is this node"));
            if let Some(what) = twice.or(own) {
                let mend = "name each other node once, as its own file does in node.name";
                report.add(peer.name.span(), "peer.name", what, mend);
            }
            paths += peer.paths.get_ref().len();
            if paths > MAX_LIVE as usize {
                let what = format!("a node watches at most {MAX_LIVE} paths");
                report.add(peer.paths.span(), "peer.paths", what, "remove some");
            }
            self::peer(peer, file, report)
        })
        .collect();
    peers.into_iter().collect()
}

fn peer(written: &file::Peer, file: &file::File, report: &mut Report<'_>) -> Option<Peer> {
    let key = format!("peer.{}", written.name.get_ref());
    let interval = optional(written.interval.as_ref(), INTERVAL, |interval| {
        duration(report, &format!("{key}.interval"), interval, INTERVALS)
    });
    let multiplier = optional(written.multiplier.as_ref(), MULTIPLIER, |multiplier| {
        number(
            report,
            &format!("{key}.multiplier"),
            multiplier,
            MULTIPLIERS,
        )
    });
    if written.paths.get_ref().is_empty() {
        report.add(
            written.paths.span(),
            format!("{key}.paths"),
            "there is no way to it",
            "write paths = [{ interface = \"eth0\", address = \"192.0.2.2\" }]",
        );
        return None;
    }
    let paths: Vec<_> = written
        .paths
        .get_ref()
        .iter()
        .map(|path| self::path(path, &key, file, report))
        .collect();
    let paths: Option<Vec<_>> = paths.into_iter().collect();
    Some(Peer {
        name: written.name.get_ref().clone(),
        paths: paths?,
        probing: sbfd::Config {
            interval: interval?,
            multiplier: multiplier?,
        },
    })
}

fn path(
    written: &file::Path,
    key: &str,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<PeerPath> {
    let key = format!("{key}.paths");
    let name = written.interface.get_ref();
    if !file.interface.iter().any(|i| i.name.get_ref() == name) {
        report.add(
            written.interface.span(),
            key,
            format!("there is no interface \"{name}\" in this file"),
            format!("add [[interface]] with name = \"{name}\", or name one that is there"),
        );
        return None;
    }
    let text = written.address.get_ref();
    let Some(address) = host(text) else {
        report.add(
            written.address.span(),
            key,
            format!("\"{text}\" is not a single host's address"),
            "write the peer's own address on that network, as \"192.0.2.2\"",
        );
        return None;
    };
    Some(PeerPath {
        interface: name.clone(),
        address,
    })
}

/// The address of a single host.
pub(super) fn host(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|address| match address {
        IpAddr::V4(v4) => ipv4::is_host(v4.octets()),
        IpAddr::V6(v6) => ipv6::is_host(v6.octets()),
    })
}
