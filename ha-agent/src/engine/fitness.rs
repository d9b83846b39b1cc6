//! What the checks see, weighed for each group, and handed to its election.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ha_core::{
    election::Input,
    track::{Effect, Fitness, State, weigh},
};

use super::Engine;
use crate::{
    config::{
        self, Config,
        track::{self, Check, Track},
    },
    health::Seen,
};

/// How often an interface is looked at without being told of a change.
const INTERFACE_INTERVAL: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes note of what a check saw.
    pub(super) fn seen(&mut self, seen: Seen) {
        let Some((check, before, entry)) = self.health.observe(seen) else {
            return;
        };
        let (name, note, state) = (&entry.check.name, &entry.note, entry.state());
        let text = format!(
            "check {name} ({}): {}: {note}",
            entry.check.kind.name(),
            word(state)
        );
        match state {
            State::Down => tracing::warn!("{text}"),
            State::Up | State::Number(_) | State::Unknown => tracing::info!("{text}"),
        }
        if (before, state) == (State::Down, State::Up) {
            self.is_well_again(check);
        }
        self.history.node("check", text);
        for index in 0..self.groups.len() {
            if self.groups[index]
                .tracks
                .iter()
                .any(|track| track.check == check)
                || self.groups[index].ways.len() > 1
            {
                self.weigh(index);
            }
        }
    }

    /// Tells the election of a group what its checks amount to. Those of a sync group count for all of its
    /// members: what moves one moves all.
    pub(super) fn weigh(&mut self, index: usize) {
        let members = match self.groups[index].sync {
            None => vec![index],
            Some(sync) => self.config.syncs[sync].groups.clone(),
        };
        for member in &members {
            self.choose_way(*member);
        }
        let mut effects = BTreeMap::new();
        for track in members
            .iter()
            .flat_map(|member| &self.groups[*member].tracks)
        {
            effects.entry(track.check).or_insert(track.effect);
        }
        let mut checks: Vec<_> = effects
            .into_iter()
            .map(|(check, effect)| (self.health.state(check), effect))
            .collect();
        // Whatever `track_interface` says: there is nothing that it could be served on.
        if members.iter().any(|member| self.is_adrift(*member)) {
            checks.push((State::Down, Effect::Fault));
        }
        for member in members {
            let fitness = weigh(self.groups[member].base, &checks);
            self.tell_fitness(member, fitness);
        }
    }

    fn tell_fitness(&mut self, index: usize, fitness: Fitness) {
        let group = &mut self.groups[index];
        if group.fitness == fitness {
            return;
        }
        group.fitness = fitness;
        let text = match fitness {
            Fitness::Eligible { priority } => {
                format!("the checks leave the group eligible with priority {priority}")
            }
            Fitness::Faulty { .. } => "the checks forbid the group to be Active here".to_owned(),
        };
        tracing::info!(group = %group.name, "{text}");
        self.history.group(&group.name, "fitness", text);
        self.input(index, Input::Fitness(fitness));
    }
}

/// The checks of the configuration, and one for each interface, those of guests among them.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let guests = config
        .groups
        .iter()
        .flat_map(|group| group.delivery.guests());
    let guests: BTreeSet<_> = guests.map(|guest| &guest.interface).collect();
    let own = config.interfaces.iter().map(|interface| &interface.name);
    let interfaces = own.chain(guests).map(|interface| Check {
        name: interface.clone(),
        kind: track::Kind::Interface {
            interface: interface.clone(),
        },
        interval: INTERFACE_INTERVAL,
        timeout: INTERFACE_INTERVAL,
        rise: 1,
        fall: 1,
    });
    config.checks.iter().cloned().chain(interfaces).collect()
}

/// What a group's checks do to it; those of its own interface and of its guests' forbid it to be Active.
pub(super) fn tracks(group: &config::Group, checks: &[Check]) -> Vec<Track> {
    let guests = group.delivery.guests().map(|guest| &guest.interface);
    // One that has other interfaces loses nothing with its own.
    let own = group.local.is_none().then_some(&group.interface);
    let interfaces: BTreeSet<_> = guests.chain(own).collect();
    let implied = interfaces.into_iter().filter_map(|interface| {
        let kind = track::Kind::Interface {
            interface: interface.clone(),
        };
        checks.iter().rposition(|check| check.kind == kind)
    });
    let implied = implied
        .filter(|_| group.track_interface)
        .map(|check| Track {
            check,
            effect: Effect::Fault,
        });
    group.track.iter().copied().chain(implied).collect()
}

/// The word for a state in the log and in the status.
pub(super) fn word(state: State) -> String {
    match state {
        State::Unknown => "unknown".to_owned(),
        State::Up => "up".to_owned(),
        State::Down => "down".to_owned(),
        State::Number(number) => number.to_string(),
    }
}
