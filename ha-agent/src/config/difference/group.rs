//! What differs in the groups, and which of them can go on.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ha_common::abi::Vlan;
use ha_core::{
    track::Effect,
    vrrp::{ChecksumChoice, ChecksumV4, Peers, Version},
};

use super::{
    super::{AnsweringMac, Config, Election, Group, MacFallback, Stale, Vrrp, value::shown},
    Action, Change, Details, Difference, Fate, Subject,
};

/// Virtual IPs that are written out; more are counted.
const LISTED: usize = 4;

pub(super) fn groups(old: &Config, running: &[Vec<IpAddr>], new: &Config, found: &mut Difference) {
    let places = old.groups.iter().enumerate();
    let places: BTreeMap<_, _> = places.map(|(place, g)| (g.name.as_str(), place)).collect();
    for group in &new.groups {
        let change = |action, details| Change {
            subject: Subject::Group,
            name: group.name.clone(),
            action,
            details,
        };
        let Some(&from) = places.get(group.name.as_str()) else {
            let details = vec![format!("{} virtual IPs", group.vips.len())];
            found.changes.push(change(Action::Added, details));
            found.groups.push(Fate::Added);
            continue;
        };
        let before = &old.groups[from];
        let anew = anew(before, group);
        let running = running.get(from).map_or(&[][..], Vec::as_slice);
        let mut details = Details(anew);
        let is_renewed = !details.0.is_empty();
        vips(before, running, group, &mut details);
        keys((old, before), (new, group), &mut details);
        let is_changed = !details.0.is_empty();
        if is_changed {
            let action = if is_renewed {
                Action::Renewed
            } else {
                Action::Changed
            };
            found.changes.push(change(action, details.0));
        }
        found.groups.push(if is_renewed {
            Fate::Renewed { from }
        } else {
            Fate::Kept { from, is_changed }
        });
    }
    let kept: BTreeSet<&str> = new.groups.iter().map(|group| group.name.as_str()).collect();
    for (place, group) in old.groups.iter().enumerate() {
        if kept.contains(group.name.as_str()) {
            continue;
        }
        found.removed.push(place);
        found.changes.push(Change {
            subject: Subject::Group,
            name: group.name.clone(),
            action: Action::Removed,
            details: Vec::new(),
        });
    }
}

/// What makes another virtual router of it.
fn anew(old: &Group, new: &Group) -> Vec<String> {
    let mut details = Details::default();
    details.texts("interface", &old.interface, &new.interface);
    details.texts("local", &local(old), &local(new));
    details.texts("vlan", &tags(old.vlan), &tags(new.vlan));
    let mac = |group: &Group| match group.mac {
        AnsweringMac::Virtual(vrid) => format!("virtual ({vrid})"),
        AnsweringMac::Interface => "interface".to_owned(),
    };
    details.values("mac", &mac(old), &mac(new));
    match (&old.election, &new.election) {
        (Election::Manual, Election::Manual) => {}
        (Election::Vrrp(old), Election::Vrrp(new)) => {
            details.values("vrid", &old.vrid, &new.vrid);
            let version = |vrrp: &Vrrp| match vrrp.version {
                Version::V2 => 2,
                Version::V3 => 3,
            };
            details.values("version", &version(old), &version(new));
        }
        (Election::Manual, Election::Vrrp(_)) => details.values("type", "manual", "vrrp"),
        (Election::Vrrp(_), Election::Manual) => details.values("type", "vrrp", "manual"),
    }
    details.0
}

fn local(group: &Group) -> String {
    let Some(local) = &group.local else {
        return String::new();
    };
    let returns = match local.returns_after {
        None => "stays".to_owned(),
        Some(delay) => format!("returns after {}", shown(delay)),
    };
    format!("{}, {returns}", local.fallback.join(" "))
}

fn pings(group: &Group) -> String {
    let Some(ping) = group.local.as_ref().and_then(|local| local.ping.as_ref()) else {
        return String::new();
    };
    let targets: Vec<_> = ping.targets.iter().map(IpAddr::to_string).collect();
    format!(
        "{} each {} x {}",
        targets.join(" "),
        shown(ping.interval),
        ping.fall
    )
}

fn tags(vlan: Vlan) -> String {
    match vlan {
        Vlan { outer: 0, .. } => String::new(),
        Vlan { outer, inner: 0 } => outer.to_string(),
        Vlan { outer, inner } => format!("{outer}.{inner}"),
    }
}

fn vips(old: &Group, running: &[IpAddr], new: &Group, details: &mut Details) {
    let set = |vips: &[IpAddr]| vips.iter().copied().collect::<BTreeSet<IpAddr>>();
    let (written, running, wanted) = (set(&old.vips), set(running), set(&new.vips));
    let mut say = |vips: Vec<IpAddr>, what: &str| {
        if vips.is_empty() {
            return;
        }
        let listed: Vec<_> = vips.iter().take(LISTED).map(IpAddr::to_string).collect();
        let more = vips.len().saturating_sub(LISTED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let text = format!("virtual IPs {what}: {}{more}", listed.join(" "));
        details.0.push(text);
    };
    let (back, added): (Vec<_>, Vec<_>) = wanted
        .difference(&running)
        .partition(|vip| written.contains(vip));
    let (gone, forgotten): (Vec<_>, Vec<_>) = running
        .difference(&wanted)
        .partition(|vip| written.contains(vip));
    say(added, "added");
    say(back, "added again, which were removed at run time");
    say(gone, "removed");
    say(
        forgotten,
        "removed, which were added at run time and are not in the file",
    );
}

fn keys(
    (old_config, old): (&Config, &Group),
    (new_config, new): (&Config, &Group),
    details: &mut Details,
) {
    let stale = |group: &Group| match group.stale {
        Stale::Forward => "forward",
        Stale::Drop => "drop",
    };
    let fallback = |group: &Group| match group.mac_fallback {
        MacFallback::None => "none",
        MacFallback::Interface => "interface",
    };
    details.values("mac_fallback", &fallback(old), &fallback(new));
    details.values("stale", &stale(old), &stale(new));
    details.values("router", &old.router, &new.router);
    details.texts("track", &tracks(old_config, old), &tracks(new_config, new));
    details.values(
        "track_interface",
        &old.track_interface,
        &new.track_interface,
    );
    details.texts("local.ping", &pings(old), &pings(new));
    let (Election::Vrrp(old), Election::Vrrp(new)) = (&old.election, &new.election) else {
        return;
    };
    details.values("priority", &old.priority, &new.priority);
    let (every, from_now) = (old.advert_interval, new.advert_interval);
    details.times("advert_interval", every.duration(), from_now.duration());
    if every != from_now && new.version == Version::V2 {
        let text = "routers of version 2 heed only advertisements of their own interval: change all at once";
        details.0.push(text.to_owned());
    }
    details.values("preempt", &old.preempt, &new.preempt);
    details.times("preempt_delay", old.preempt_delay, new.preempt_delay);
    details.times("startup_delay", old.startup_delay, new.startup_delay);
    details.times("yield_grace", old.yield_grace, new.yield_grace);
    details.times("contention", old.contention, new.contention);
    details.times("settle", old.settle, new.settle);
    details.values("checksum", &checksum(old.checksum), &checksum(new.checksum));
    details.values("peers", &peers(&old.peers), &peers(&new.peers));
}

const fn checksum(choice: ChecksumChoice) -> &'static str {
    match choice {
        ChecksumChoice::Fixed(ChecksumV4::Message) => "message",
        ChecksumChoice::Fixed(ChecksumV4::PseudoHeader) => "pseudo-header",
        ChecksumChoice::Auto { .. } => "auto",
    }
}

fn peers(peers: &Peers) -> String {
    match peers {
        Peers::Multicast => "multicast".to_owned(),
        Peers::Unicast(peers) => {
            let peers: Vec<_> = peers.iter().map(IpAddr::to_string).collect();
            peers.join(" ")
        }
    }
}

fn tracks(config: &Config, group: &Group) -> String {
    let tracks = group.track.iter().map(|track| {
        let name = &config.checks[track.check].name;
        match track.effect {
            Effect::Fault => name.clone(),
            Effect::Weight(weight) | Effect::Factor(weight) => format!("{name} ({weight:+})"),
        }
    });
    tracks.collect::<Vec<_>>().join(" ")
}
