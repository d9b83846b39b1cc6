//! `[[bfd]]`: sessions with routers.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    num::NonZeroU8,
    time::Duration,
};

use ha_common::wire::{ipv4, ipv6};
use ha_core::bfd;
use toml::Spanned;

use super::{
    super::{
        Bfd,
        error::Report,
        file,
        value::{duration, number},
    },
    group::Draft,
    optional,
};

const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(3)..=Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(50);
const ECHO_INTERVALS: std::ops::RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(10);
const ECHO_INTERVAL: Duration = Duration::from_millis(10);
const MULTIPLIERS: std::ops::RangeInclusive<i64> = 1..=255;
const MULTIPLIER: u8 = 3;

pub(super) fn sessions(
    file: &file::File,
    groups: &[Option<Draft>],
    report: &mut Report<'_>,
) -> Option<Vec<Bfd>> {
    let drafts = groups.iter().flatten();
    let vips: HashSet<_> = drafts.flat_map(|draft| &draft.group.vips).collect();
    let mut names = HashMap::new();
    let mut ways = HashMap::new();
    let mut sessions = Vec::new();
    for written in &file.bfd {
        let name = written.name.get_ref();
        let line = report.line(written.name.span());
        if let Some(first) = names.insert(name, line) {
            report.add(
                written.name.span(),
                "bfd.name",
                format!("\"{name}\" is already in line {first}"),
                "give each session a name of its own",
            );
        }
        let session = session(written, file, report);
        if let Some(Bfd {
            interface, address, ..
        }) = &session
            && let Some(first) = ways.insert((interface.clone(), *address), line)
        {
            report.add(
                written.address.span(),
                format!("bfd.{name}.address"),
                format!("{address} over {interface} is already in line {first}"),
                "keep one of them: there is one session for each router, interface and family",
            );
        }
        if let Some(session) = session.as_ref().filter(|s| vips.contains(&s.address)) {
            report.add(
                written.address.span(),
                format!("bfd.{name}.address"),
                format!("{} is a virtual IP in this file", session.address),
                "write the router's own address",
            );
        }
        sessions.push(session);
    }
    sessions.into_iter().collect()
}

fn session(written: &file::Bfd, file: &file::File, report: &mut Report<'_>) -> Option<Bfd> {
    let key = format!("bfd.{}", written.name.get_ref());
    let mut interval = |name: &str, value: &Option<Spanned<String>>, default, bounds| {
        optional(value.as_ref(), default, |value| {
            duration(report, &format!("{key}.{name}"), value, bounds)
        })
    };
    let transmit = interval(
        "transmit_interval",
        &written.transmit_interval,
        INTERVAL,
        INTERVALS,
    );
    let receive = interval(
        "receive_interval",
        &written.receive_interval,
        INTERVAL,
        INTERVALS,
    );
    let echo_receive = interval(
        "echo_receive_interval",
        &written.echo_receive_interval,
        ECHO_INTERVAL,
        ECHO_INTERVALS,
    );
    let echo = written
        .echo_interval
        .is_some()
        .then(|| interval("echo_interval", &written.echo_interval, INTERVAL, INTERVALS));
    let multiplier = optional(written.multiplier.as_ref(), MULTIPLIER, |multiplier| {
        let key = format!("{key}.multiplier");
        number(report, &key, multiplier, MULTIPLIERS)
    });
    let interface = interface(&written.interface, &key, file, report);
    let address = address(&written.address, &key, report);
    Some(Bfd {
        name: written.name.get_ref().clone(),
        interface: interface?,
        address: address?,
        session: bfd::Config {
            desired_min_tx: transmit?.into(),
            required_min_rx: receive?.into(),
            detect_mult: NonZeroU8::new(multiplier?)?,
            is_passive: written.passive.unwrap_or(false),
            required_min_echo_rx: echo_receive?.into(),
            echo_interval: match echo {
                None => None,
                Some(interval) => Some(interval?.into()),
            },
        },
    })
}

fn interface(
    written: &Spanned<String>,
    key: &str,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<String> {
    let name = written.get_ref();
    if file.interface.iter().any(|i| i.name.get_ref() == name) {
        return Some(name.clone());
    }
    report.add(
        written.span(),
        format!("{key}.interface"),
        format!("there is no interface \"{name}\" in this file"),
        format!("add [[interface]] with name = \"{name}\", or name one that is there"),
    );
    None
}

fn address(written: &Spanned<String>, key: &str, report: &mut Report<'_>) -> Option<IpAddr> {
    let text = written.get_ref();
    let address = text.parse().ok().filter(|address| match address {
        IpAddr::V4(v4) => ipv4::is_host(v4.octets()),
        IpAddr::V6(v6) => ipv6::is_host(v6.octets()) && v6.to_ipv4_mapped().is_none(),
    });
    if address.is_none() {
        report.add(
            written.span(),
            format!("{key}.address"),
            format!("\"{text}\" is not a single host's address"),
            "write the router's own address on that network, as \"192.0.2.1\" or \"fe80::1\"",
        );
    }
    address
}
