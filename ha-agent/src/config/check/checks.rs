//! `[[check]]`.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, time::Duration};

use hyper::Uri;
use toml::Spanned;

use super::{
    super::{
        error::Report,
        file,
        track::{Check, Http, Kind, Process, Route},
        value::{duration, number, word},
    },
    optional,
};

const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(3_600);
const INTERVAL: Duration = Duration::from_secs(1);
const TIMES: std::ops::RangeInclusive<i64> = 1..=1_000;
const STATUSES: std::ops::RangeInclusive<i64> = 100..=599;

#[derive(Clone, Copy)]
enum Word {
    Interface,
    Script,
    Process,
    Tcp,
    Http,
    File,
    Route,
    Bfd,
}

const WORDS: [(&str, Word); 8] = [
    ("interface", Word::Interface),
    ("script", Word::Script),
    ("process", Word::Process),
    ("tcp", Word::Tcp),
    ("http", Word::Http),
    ("file", Word::File),
    ("route", Word::Route),
    ("bfd", Word::Bfd),
];

impl Word {
    /// The keys that go with it, beside those that all have.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Interface => &["interface"],
            Self::Script => &["command"],
            Self::Process => &["process", "pid_file"],
            Self::Tcp => &["address"],
            Self::Http => &["url", "status", "body"],
            Self::File => &["file"],
            Self::Route => &["destination", "via", "interface"],
            Self::Bfd => &["session"],
        }
    }
}

pub(super) fn checks(file: &file::File, report: &mut Report<'_>) -> Option<Vec<Check>> {
    let mut lines = HashMap::new();
    let checks: Vec<_> = file
        .check
        .iter()
        .map(|check| {
            let line = report.line(check.name.span());
            if let Some(first) = lines.insert(check.name.get_ref(), line) {
                report.add(
                    check.name.span(),
                    "check.name",
                    format!("\"{}\" is already in line {first}", check.name.get_ref()),
                    "give each check a name of its own",
                );
            }
            self::check(check, file, report)
        })
        .collect();
    checks.into_iter().collect()
}

fn check(written: &file::Check, file: &file::File, report: &mut Report<'_>) -> Option<Check> {
    let key = format!("check.{}", written.name.get_ref());
    let kind = word(report, &format!("{key}.type"), &written.kind, &WORDS);
    let interval = optional(written.interval.as_ref(), INTERVAL, |interval| {
        duration(report, &format!("{key}.interval"), interval, INTERVALS)
    });
    let timeout = optional(
        written.timeout.as_ref(),
        interval.unwrap_or(INTERVAL),
        |timeout| duration(report, &format!("{key}.timeout"), timeout, INTERVALS),
    );
    let mut times = |name: &str, value: &Option<Spanned<i64>>| {
        optional(value.as_ref(), 1, |value| {
            number(report, &format!("{key}.{name}"), value, TIMES)
        })
    };
    let (rise, fall) = (times("rise", &written.rise), times("fall", &written.fall));
    let kind = kind.and_then(|word| {
        foreign(written, word, &key, report)?;
        self::kind(written, word, &key, file, report)
    });
    Some(Check {
        name: written.name.get_ref().clone(),
        kind: kind?,
        interval: interval?,
        timeout: timeout?,
        rise: rise?,
        fall: fall?,
    })
}

/// Keys that belong to another type.
fn foreign(written: &file::Check, word: Word, key: &str, report: &mut Report<'_>) -> Option<()> {
    let span = |value: &Option<Spanned<String>>| value.as_ref().map(Spanned::span);
    let keys = [
        ("interface", span(&written.interface)),
        ("command", written.command.as_ref().map(Spanned::span)),
        ("process", span(&written.process)),
        ("pid_file", span(&written.pid_file)),
        ("address", span(&written.address)),
        ("url", span(&written.url)),
        ("status", written.status.as_ref().map(Spanned::span)),
        ("body", span(&written.body)),
        ("file", span(&written.file)),
        ("destination", span(&written.destination)),
        ("via", span(&written.via)),
        ("session", span(&written.session)),
    ];
    let mut fits = true;
    for (name, place) in keys {
        if let Some(place) = place.filter(|_| !word.keys().contains(&name)) {
            fits = false;
            report.add(
                place,
                format!("{key}.{name}"),
                format!(
                    "a check of type \"{}\" has no such key",
                    written.kind.get_ref()
                ),
                format!("its keys are {}", word.keys().join(", ")),
            );
        }
    }
    fits.then_some(())
}

fn kind(
    written: &file::Check,
    word: Word,
    key: &str,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<Kind> {
    Some(match word {
        Word::Interface => Kind::Interface {
            interface: needed(&written.interface, written, "interface", key, report)?,
        },
        Word::Script => Kind::Script {
            command: command(written, key, report)?,
        },
        Word::Process => Kind::Process(process(written, key, report)?),
        Word::Tcp => {
            needed(&written.address, written, "address", key, report)?;
            let mend = "write address and port, as \"127.0.0.1:80\" or \"[::1]:80\"";
            let address = parsed(
                written.address.as_ref()?,
                &format!("{key}.address"),
                mend,
                report,
            );
            Kind::Tcp { address: address? }
        }
        Word::Http => Kind::Http(http(written, key, report)?),
        Word::File => Kind::File {
            path: PathBuf::from(needed(&written.file, written, "file", key, report)?),
        },
        Word::Route => Kind::Route(route(written, key, report)?),
        Word::Bfd => Kind::Bfd {
            session: session(written, key, file, report)?,
        },
    })
}

/// A key that the type cannot do without.
fn needed(
    value: &Option<Spanned<String>>,
    check: &file::Check,
    name: &str,
    key: &str,
    report: &mut Report<'_>,
) -> Option<String> {
    let text = value.as_ref().map(|value| value.get_ref().clone());
    let text = text.filter(|text| !text.is_empty());
    if text.is_none() {
        report.add(
            value
                .as_ref()
                .map_or_else(|| check.kind.span(), Spanned::span),
            format!("{key}.{name}"),
            "is missing",
            format!(
                "add {name}: a check of type \"{}\" needs it",
                check.kind.get_ref()
            ),
        );
    }
    text
}

fn parsed<T: std::str::FromStr>(
    written: &Spanned<String>,
    key: &str,
    mend: &str,
    report: &mut Report<'_>,
) -> Option<T> {
    let parsed = written.get_ref().parse().ok();
    if parsed.is_none() {
        let what = format!("\"{}\" cannot be read", written.get_ref());
        report.add(written.span(), key, what, mend);
    }
    parsed
}

fn command(written: &file::Check, key: &str, report: &mut Report<'_>) -> Option<Vec<String>> {
    let command = written.command.as_ref().map(Spanned::get_ref);
    match command {
        Some(command) if command.first().is_some_and(|program| !program.is_empty()) => {
            Some(command.clone())
        }
        Some(_) | None => {
            let place = written.command.as_ref().map(Spanned::span);
            report.add(
                place.unwrap_or_else(|| written.kind.span()),
                format!("{key}.command"),
                "names no program",
                "write the program and its arguments, as [\"/usr/bin/pgrep\", \"nginx\"]; there is no shell",
            );
            None
        }
    }
}

fn process(written: &file::Check, key: &str, report: &mut Report<'_>) -> Option<Process> {
    match (&written.process, &written.pid_file) {
        (Some(name), None) => Some(Process::Name(name.get_ref().clone())),
        (None, Some(file)) => Some(Process::PidFile(PathBuf::from(file.get_ref()))),
        (Some(_), Some(_)) | (None, None) => {
            report.add(
                written.kind.span(),
                format!("{key}.process"),
                "which process is meant is not said, or twice",
                "write process = \"NAME\" or pid_file = \"FILE\"",
            );
            None
        }
    }
}

fn http(written: &file::Check, key: &str, report: &mut Report<'_>) -> Option<Http> {
    needed(&written.url, written, "url", key, report)?;
    let url = written.url.as_ref()?;
    let mend = "write it as \"http://127.0.0.1:8080/health\"; for https use a script";
    let uri: Uri = parsed(url, &format!("{key}.url"), mend, report)?;
    let (Some("http"), Some(host)) = (uri.scheme_str(), uri.host()) else {
        let what = format!("\"{}\" is not an http address", url.get_ref());
        report.add(url.span(), format!("{key}.url"), what, mend);
        return None;
    };
    let status = match &written.status {
        None => None,
        Some(status) => Some(number(report, &format!("{key}.status"), status, STATUSES)?),
    };
    Some(Http {
        server: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
        path: uri
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned(),
        status,
        body: written.body.as_ref().map(|body| body.get_ref().clone()),
    })
}

fn route(written: &file::Check, key: &str, report: &mut Report<'_>) -> Option<Route> {
    let text = needed(&written.destination, written, "destination", key, report)?;
    let Some(destination) = prefix(&text) else {
        report.add(
            written.destination.as_ref().map_or(0..0, Spanned::span),
            format!("{key}.destination"),
            format!("\"{text}\" is no network"),
            "write address and length, as \"0.0.0.0/0\" or \"2001:db8::/32\"",
        );
        return None;
    };
    let via = match &written.via {
        None => None,
        Some(via) => Some(parsed(
            via,
            &format!("{key}.via"),
            "write the address of the next hop",
            report,
        )?),
    };
    Some(Route {
        destination,
        via,
        interface: written.interface.as_ref().map(|i| i.get_ref().clone()),
    })
}

/// The place of the session that is named.
fn session(
    written: &file::Check,
    key: &str,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<usize> {
    let name = needed(&written.session, written, "session", key, report)?;
    let place = file.bfd.iter().position(|bfd| *bfd.name.get_ref() == name);
    if place.is_none() {
        report.add(
            written.session.as_ref().map_or(0..0, Spanned::span),
            format!("{key}.session"),
            format!("there is no session \"{name}\" in this file"),
            format!("add [[bfd]] with name = \"{name}\", or name one that is there"),
        );
    }
    place
}

fn prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address, len) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let len: u8 = len.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (len <= most).then_some((address, len))
}
