//! `[group.local]`: other interfaces of this node.

use std::{
    collections::HashSet,
    net::IpAddr,
    ops::{Range, RangeInclusive},
    time::Duration,
};

use toml::Spanned;

use super::{
    super::{
        Local, Ping,
        error::Report,
        file,
        value::{duration, number, word},
    },
    group::Draft,
    liveness::host,
    optional,
};

const DELAYS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
/// A link that has just come back may go again.
const DELAY: Duration = Duration::from_secs(5);
/// More would say no more, and each has a socket for each interface.
const TARGETS: usize = 8;
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(1);
/// With one alone a target that goes down between two pings would be taken for a dead interface.
const FALLS: RangeInclusive<i64> = 2..=100;
const FALL: u16 = 3;

/// `None` if it is at fault, `Some(None)` if there is none.
pub(super) fn local(
    group: &file::Group,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Option<Local>> {
    let Some(written) = &group.local else {
        return Some(None);
    };
    let key = format!("{key}.local");
    let fallback = fallback(group, written, file, &key, report);
    let words = [("auto", true), ("never", false)];
    let returns = optional(written.returns.as_ref(), true, |returns| {
        word(report, &format!("{key}.return"), returns, &words)
    });
    let delay = optional(written.return_delay.as_ref(), DELAY, |delay| {
        duration(report, &format!("{key}.return_delay"), delay, DELAYS)
    });
    let ping = ping(written, &key, report);
    let delay = delay?;
    Some(Some(Local {
        fallback: fallback?,
        returns_after: returns?.then_some(delay),
        ping: ping?,
    }))
}

fn ping(written: &file::Local, key: &str, report: &mut Report<'_>) -> Option<Option<Ping>> {
    let interval = optional(written.ping_interval.as_ref(), INTERVAL, |interval| {
        duration(report, &format!("{key}.ping_interval"), interval, INTERVALS)
    });
    let fall = optional(written.ping_fall.as_ref(), FALL, |fall| {
        number(report, &format!("{key}.ping_fall"), fall, FALLS)
    });
    let Some(list) = &written.ping else {
        let span = |interval: &Spanned<String>| interval.span();
        let alone = [
            ("ping_interval", written.ping_interval.as_ref().map(span)),
            ("ping_fall", written.ping_fall.as_ref().map(Spanned::span)),
        ];
        let mut alone = alone
            .into_iter()
            .filter_map(|(name, span)| Some((name, span?)));
        let Some((name, span)) = alone.next() else {
            return Some(None);
        };
        let mend = format!("add ping = [\"192.0.2.1\"], or remove {name}");
        report.add(span, format!("{key}.{name}"), "nobody is pinged", mend);
        return None;
    };
    Some(Some(Ping {
        targets: targets(list, &format!("{key}.ping"), report)?,
        interval: interval?,
        fall: fall?,
    }))
}

fn targets(
    list: &Spanned<Vec<Spanned<String>>>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vec<IpAddr>> {
    let mut refuse = |span: Range<usize>, what: String, mend: &str| {
        report.add(span, key, what, mend);
        None
    };
    let mut targets = Vec::new();
    for entry in list.get_ref() {
        let text = entry.get_ref();
        let Some(target) = host(text) else {
            let what = format!("\"{text}\" is not a single host's address");
            let mend = "write the address of a host that answers pings over each of the interfaces, as of the router";
            return refuse(entry.span(), what, mend);
        };
        if targets.contains(&target) {
            let what = format!("{target} is in the list already");
            return refuse(entry.span(), what, "name each target once");
        }
        targets.push(target);
    }
    if targets.is_empty() {
        let mend = "name hosts that answer pings, or remove it: then the link alone decides";
        return refuse(list.span(), "the list is empty".to_owned(), mend);
    }
    if targets.len() > TARGETS {
        let what = format!("{} targets are more than {TARGETS}", targets.len());
        return refuse(list.span(), what, "name those that are up most of the time");
    }
    Some(targets)
}

/// A virtual IP is local here, so it would not be asked over any interface.
pub(super) fn no_vips(files: &[file::Group], groups: &[Option<Draft>], report: &mut Report<'_>) {
    let written = || {
        files
            .iter()
            .filter_map(|file| Some((file, file.local.as_ref()?.ping.as_ref()?)))
    };
    if written().next().is_none() {
        return;
    }
    let drafts = groups.iter().flatten();
    let vips: HashSet<IpAddr> = drafts
        .flat_map(|draft| draft.group.vips.iter().copied())
        .collect();
    for (file, list) in written() {
        let is_vip = |entry: &&Spanned<String>| {
            host(entry.get_ref()).is_some_and(|target| vips.contains(&target))
        };
        if let Some(entry) = list.get_ref().iter().find(is_vip) {
            report.add(
                entry.span(),
                format!("group.{}.local.ping", file.name.get_ref()),
                format!("{} is a virtual IP of this node", entry.get_ref()),
                "name a host that is none of the nodes, as the router",
            );
        }
    }
}

fn fallback(
    group: &file::Group,
    written: &file::Local,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let key = format!("{key}.fallback");
    let list = &written.fallback;
    let mut refuse = |span, what: String, mend: String| {
        report.add(span, &*key, what, mend);
        None
    };
    if list.get_ref().is_empty() {
        let mend = "name the interfaces that are to stand in, or remove [group.local]".to_owned();
        return refuse(list.span(), "the list is empty".to_owned(), mend);
    }
    if group.track_interface == Some(false) {
        let what = "without track_interface no link is ever found lost".to_owned();
        return refuse(
            list.span(),
            what,
            "remove track_interface = false".to_owned(),
        );
    }
    let mut seen = HashSet::from([group.interface.get_ref()]);
    let mut names = Vec::new();
    for entry in list.get_ref() {
        let name = entry.get_ref();
        if !file.interface.iter().any(|i| i.name.get_ref() == name) {
            let what = format!("there is no interface \"{name}\" in this file");
            let mend =
                format!("add [[interface]] with name = \"{name}\", or name one that is there");
            return refuse(entry.span(), what, mend);
        }
        if !seen.insert(name) {
            let what = format!("the group is served on {name} already");
            return refuse(entry.span(), what, "name each interface once".to_owned());
        }
        names.push(name.clone());
    }
    Some(names)
}
