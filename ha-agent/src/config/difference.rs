//! What has to be done to go from one configuration to another: pure, so that it can be shown before it is done.
//!
//! Places in lists mean nothing here; what has the same name is the same thing.

mod group;
mod node;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use self::group::groups;
use super::{Config, track, value::shown};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// `[node]`
    Node,
    /// `[announce]`
    Announce,
    /// `[[interface]]`
    Interface,
    /// `[[peer]]`
    Peer,
    /// `[witness]`
    Witness,
    /// `[[bfd]]`
    Bfd,
    /// `[[check]]`
    Check,
    /// `[[group]]`
    Group,
    /// `[[sync]]`
    Sync,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It goes on, otherwise.
    Changed,
    /// It is ended and begun anew, as what it is made of cannot be changed in place. A group is released for that.
    Renewed,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of what kind it is.
    pub subject: Subject,
    /// Its name; empty where there is only one.
    pub name: String,
    /// What happens to it.
    pub action: Action,
    /// The keys that differ, a short sentence each.
    pub details: Vec<String>,
}

/// What becomes of a group of the new configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// Its election goes on.
    Kept {
        /// Its place in the old configuration.
        from: usize,
        /// Whether a key of it differs.
        is_changed: bool,
    },
    /// It is released, and begins anew.
    Renewed {
        /// Its place in the old configuration.
        from: usize,
    },
}

/// All differences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What is to be done; nothing if it is empty.
    pub changes: Vec<Change>,
    /// Keys that are read at a start only, each with its old and its new value.
    pub restart: Vec<String>,
    /// What becomes of each group of the new configuration.
    pub groups: Vec<Fate>,
    /// Places of the groups that are in the old configuration only.
    pub removed: Vec<usize>,
}

/// The difference from `old`, whose groups have the virtual IPs in `running` at this moment, to `new`.
///
/// The file wins: what was added at run time and is not in the file goes, and what was taken away and is in the
/// file comes back.
#[must_use]
pub fn difference(old: &Config, running: &[Vec<IpAddr>], new: &Config) -> Difference {
    let mut found = Difference {
        restart: node::restart(old, new),
        ..Difference::default()
    };
    found.changes.extend(node::node(old, new));
    found.changes.extend(node::announce(old, new));
    let of = |config: &Config| config.interfaces.clone();
    found.changes.extend(list(
        Subject::Interface,
        (&of(old), &of(new)),
        |interface| &interface.name,
        node::interface,
    ));
    found.changes.extend(list(
        Subject::Peer,
        (&old.peers, &new.peers),
        |peer| &peer.name,
        node::peer,
    ));
    found.changes.extend(node::witness(old, new));
    found.changes.extend(list(
        Subject::Bfd,
        (&old.bfd, &new.bfd),
        |session| &session.name,
        node::bfd,
    ));
    found.changes.extend(list(
        Subject::Check,
        (&checks(old), &checks(new)),
        |(check, _)| &check.name,
        node::check,
    ));
    groups(old, running, new, &mut found);
    found.changes.extend(list(
        Subject::Sync,
        (&syncs(old), &syncs(new)),
        |(name, _)| name,
        |(_, old), (_, new)| {
            let mut details = Details::default();
            details.texts("groups", &old.join(", "), &new.join(", "));
            details.0
        },
    ));
    found
}

impl Difference {
    /// Takes note that interfaces of these names are others than before. Their groups begin anew on them. `places` are
    /// the interfaces on which the groups are served.
    pub fn renew(
        &mut self,
        new: &Config,
        interfaces: &BTreeSet<String>,
        places: &[Option<String>],
    ) {
        let renewed = |subject, name: &str, details| Change {
            subject,
            name: name.to_owned(),
            action: Action::Renewed,
            details,
        };
        for interface in interfaces {
            let details = vec!["it was removed and is back".to_owned()];
            self.changes
                .push(renewed(Subject::Interface, interface, details));
        }
        let groups = new.groups.iter().zip(&mut self.groups).enumerate();
        for (place, (group, fate)) in groups {
            let on = places.get(place).and_then(Option::as_ref);
            let on = on.unwrap_or(&group.interface);
            let from = match *fate {
                Fate::Kept { from, .. } if interfaces.contains(on) => from,
                Fate::Kept { .. } | Fate::Added | Fate::Renewed { .. } => continue,
            };
            *fate = Fate::Renewed { from };
            self.changes
                .retain(|change| change.subject != Subject::Group || change.name != group.name);
            let details = vec![format!("{on} is another one")];
            self.changes
                .push(renewed(Subject::Group, &group.name, details));
        }
    }
}

/// The entries of a list that are new, gone, or not as they were.
fn list<T: PartialEq>(
    subject: Subject,
    (old, new): (&[T], &[T]),
    name: impl Fn(&T) -> &String,
    details: impl Fn(&T, &T) -> Vec<String>,
) -> Vec<Change> {
    let find = |list: &[T], wanted: &String| list.iter().position(|entry| name(entry) == wanted);
    let change = |entry: &T, action, details| Change {
        subject,
        name: name(entry).clone(),
        action,
        details,
    };
    let mut changes = Vec::new();
    for entry in new {
        match find(old, name(entry)).map(|place| &old[place]) {
            None => changes.push(change(entry, Action::Added, Vec::new())),
            Some(before) if before == entry => {}
            Some(before) => {
                changes.push(change(entry, Action::Changed, details(before, entry)));
            }
        }
    }
    let gone = old
        .iter()
        .filter(|entry| find(new, name(entry)).is_none())
        .map(|entry| change(entry, Action::Removed, Vec::new()));
    changes.extend(gone);
    changes
}

/// The checks, with the name of the BFD session that one may follow in place of its place.
fn checks(config: &Config) -> Vec<(track::Check, Option<String>)> {
    let named = |check: &track::Check| {
        let mut check = check.clone();
        let session = match &mut check.kind {
            track::Kind::Bfd { session } => {
                let name = config.bfd[*session].name.clone();
                *session = 0;
                Some(name)
            }
            track::Kind::Interface { .. }
            | track::Kind::Script { .. }
            | track::Kind::Process(_)
            | track::Kind::Tcp { .. }
            | track::Kind::Http(_)
            | track::Kind::File { .. }
            | track::Kind::Route(_) => None,
        };
        (check, session)
    };
    config.checks.iter().map(named).collect()
}

/// The sync groups, with the names of their members.
fn syncs(config: &Config) -> Vec<(String, Vec<String>)> {
    let names = |sync: &track::Sync| {
        let names = sync.groups.iter();
        names
            .map(|group| config.groups[*group].name.clone())
            .collect()
    };
    let syncs = config.syncs.iter();
    syncs.map(|sync| (sync.name.clone(), names(sync))).collect()
}

/// What differs in a table, a sentence each.
#[derive(Debug, Default)]
struct Details(Vec<String>);

impl Details {
    fn values<T: PartialEq + fmt::Display + ?Sized>(&mut self, key: &str, old: &T, new: &T) {
        if old != new {
            self.0.push(format!("{key} {old} → {new}"));
        }
    }

    fn texts(&mut self, key: &str, old: &str, new: &str) {
        let of = |text: &str| match text {
            "" => "none".to_owned(),
            text => text.to_owned(),
        };
        if old != new {
            self.0.push(format!("{key} {} → {}", of(old), of(new)));
        }
    }

    fn times(&mut self, key: &str, old: std::time::Duration, new: std::time::Duration) {
        self.texts(key, &shown(old), &shown(new));
    }
}

impl Subject {
    /// The word for it in the plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Announce => "announce",
            Self::Interface => "interface",
            Self::Peer => "peer",
            Self::Witness => "witness",
            Self::Bfd => "bfd",
            Self::Check => "check",
            Self::Group => "group",
            Self::Sync => "sync",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, word) = match self.action {
            Action::Added => ("+", "added"),
            Action::Removed => ("-", "removed"),
            Action::Changed => ("~", "changed in place"),
            Action::Renewed => ("!", "released, then begun anew"),
        };
        write!(f, "{sign} {}", self.subject.name())?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        write!(f, ": {word}")?;
        if !self.details.is_empty() {
            write!(f, ": {}", self.details.join(", "))?;
        }
        Ok(())
    }
}
