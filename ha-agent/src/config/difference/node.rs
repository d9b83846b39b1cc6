//! What differs outside of the groups.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Bfd, Config, Interface, LocalClients, LogFormat, OnExit, Peer, VlanOffload, Witness, track,
        value::shown,
    },
    Action, Change, Details, Subject,
};

/// The keys that are read at a start only.
pub(super) fn restart(old: &Config, new: &Config) -> Vec<String> {
    let mut details = Details::default();
    let format = |config: &Config| match config.log.format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let policy = |config: &Config| match config.node.on_exit {
        OnExit::Hold => "hold",
        OnExit::Release => "release",
    };
    let group = |config: &Config| config.control.group.clone().unwrap_or_default();
    details.texts("node.name", &old.node.name, &new.node.name);
    details.values("node.on_exit", &policy(old), &policy(new));
    let pins = |config: &Config| config.node.pin_dir.display().to_string();
    details.texts("node.pin_dir", &pins(old), &pins(new));
    let socket = |config: &Config| config.control.socket.display().to_string();
    details.texts("control.socket", &socket(old), &socket(new));
    details.texts("control.group", &group(old), &group(new));
    details.values("log.format", &format(old), &format(new));
    details.texts("log.filter", &old.log.filter, &new.log.filter);
    for interface in &new.interfaces {
        let mut before = old.interfaces.iter();
        if let Some(before) = before.find(|before| before.name == interface.name) {
            let key = format!("interface.{}.mode", interface.name);
            details.values(&key, &before.mode.name(), &interface.mode.name());
        }
    }
    let guests = |config: &Config| {
        let groups = config.groups.iter();
        let hosted = groups.filter(|group| group.delivery.guests().next().is_some());
        let hosted = hosted.map(|group| (group.name.clone(), group.delivery.clone()));
        hosted.collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (guests(old), guests(new));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names {
        if before.get(name) != after.get(name) {
            details.0.push(format!("group.{name}.deliver differs"));
        }
    }
    details.0
}

pub(super) fn node(old: &Config, new: &Config) -> Option<Change> {
    let mut details = Details::default();
    details.times("lease", old.node.lease, new.node.lease);
    let reached = |config: &Config| match config.node.local_clients {
        LocalClients::Active => "active",
        LocalClients::Own => "own",
    };
    details.values("local_clients", &reached(old), &reached(new));
    changed(Subject::Node, details)
}

pub(super) fn announce(old: &Config, new: &Config) -> Option<Change> {
    let (old, new) = (&old.announce, &new.announce);
    let mut details = Details::default();
    details.values("repeats", &old.repeats, &new.repeats);
    details.times("spacing", old.spacing, new.spacing);
    let refresh = |refresh: Option<_>| refresh.map_or_else(|| "off".to_owned(), shown);
    details.values("refresh", &refresh(old.refresh), &refresh(new.refresh));
    if (old.tick, old.per_tick) != (new.tick, new.per_tick) {
        details.0.push("rate".to_owned());
    }
    changed(Subject::Announce, details)
}

pub(super) fn witness(old: &Config, new: &Config) -> Option<Change> {
    let named = |config: &Config| {
        config.witness.as_ref().map(|witness| match witness {
            Witness::Ping { address, interface } => format!("{address} over {interface}"),
            Witness::Agent { peer } => config.peers[*peer].name.clone(),
        })
    };
    let change = |name: String, action| Change {
        subject: Subject::Witness,
        name,
        action,
        details: Vec::new(),
    };
    match (named(old), named(new)) {
        (None, None) => None,
        (None, Some(new)) => Some(change(new, Action::Added)),
        (Some(old), None) => Some(change(old, Action::Removed)),
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => {
            let mut details = Details::default();
            details.texts("witness", &old, &new);
            changed(Subject::Witness, details)
        }
    }
}

/// Its mode is read at a start only.
pub(super) fn interface(old: &Interface, new: &Interface) -> Vec<String> {
    let mut details = Details::default();
    let offload = |interface: &Interface| match interface.vlan_offload {
        VlanOffload::Keep => "keep",
        VlanOffload::Off => "off",
    };
    details.values("vlan_offload", &offload(old), &offload(new));
    details.0
}

pub(super) fn peer(old: &Peer, new: &Peer) -> Vec<String> {
    let ways = |peer: &Peer| {
        let ways = peer.paths.iter();
        let ways = ways.map(|path| format!("{} over {}", path.address, path.interface));
        ways.collect::<Vec<_>>().join(", ")
    };
    let mut details = Details::default();
    details.texts("paths", &ways(old), &ways(new));
    details.times("interval", old.probing.interval, new.probing.interval);
    details.values(
        "multiplier",
        &old.probing.multiplier,
        &new.probing.multiplier,
    );
    details.0
}

pub(super) fn bfd(old: &Bfd, new: &Bfd) -> Vec<String> {
    let mut details = Details::default();
    details.texts("interface", &old.interface, &new.interface);
    details.values("address", &old.address, &new.address);
    if old.session != new.session {
        details.0.push("intervals".to_owned());
    }
    details.0.push("the session begins anew".to_owned());
    details.0
}

pub(super) fn check(
    (old, old_session): &(track::Check, Option<String>),
    (new, new_session): &(track::Check, Option<String>),
) -> Vec<String> {
    let mut details = Details::default();
    if (&old.kind, old_session) != (&new.kind, new_session) {
        details.0.push("what it looks at".to_owned());
    }
    details.times("interval", old.interval, new.interval);
    details.times("timeout", old.timeout, new.timeout);
    details.values("rise", &old.rise, &new.rise);
    details.values("fall", &old.fall, &new.fall);
    details.0.push("it looks anew".to_owned());
    details.0
}

fn changed(subject: Subject, details: Details) -> Option<Change> {
    (!details.0.is_empty()).then(|| Change {
        subject,
        name: String::new(),
        action: Action::Changed,
        details: details.0,
    })
}
