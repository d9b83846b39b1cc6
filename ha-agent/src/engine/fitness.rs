//! What the checks see, weighed for each group, and handed to its election.

use std::time::Duration;

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
        let check = seen.check;
        let Some(entry) = self.health.observe(seen) else {
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
        self.history.node("check", text);
        for index in 0..self.groups.len() {
            if self.groups[index]
                .tracks
                .iter()
                .any(|track| track.check == check)
            {
                self.weigh(index);
            }
        }
    }

    /// Tells the election of a group what its checks amount to, and those of its sync group.
    fn weigh(&mut self, index: usize) {
        match self.groups[index].sync {
            None => self.tell_fitness(index, None),
            Some(sync) => {
                let members = self.config.syncs[sync].groups.clone();
                // A fault of one is a fault of all: none may stay behind.
                let fault = members
                    .iter()
                    .find_map(|member| match self.fitness(*member) {
                        fault @ Fitness::Faulty { .. } => Some(fault),
                        Fitness::Eligible { .. } => None,
                    });
                for member in members {
                    self.tell_fitness(member, fault);
                }
            }
        }
    }

    /// What the checks of a group alone amount to.
    fn fitness(&self, index: usize) -> Fitness {
        let group = &self.groups[index];
        let checks: Vec<_> = group
            .tracks
            .iter()
            .map(|track| (self.health.state(track.check), track.effect))
            .collect();
        weigh(group.base, &checks)
    }

    fn tell_fitness(&mut self, index: usize, fault: Option<Fitness>) {
        let fitness = fault.unwrap_or_else(|| self.fitness(index));
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

/// The checks of the configuration, and one for each interface.
pub(super) fn checks(config: &Config) -> Vec<Check> {
    let interfaces = config.interfaces.iter().map(|interface| Check {
        name: interface.name.clone(),
        kind: track::Kind::Interface {
            interface: interface.name.clone(),
        },
        interval: INTERFACE_INTERVAL,
        timeout: INTERFACE_INTERVAL,
        rise: 1,
        fall: 1,
    });
    config.checks.iter().cloned().chain(interfaces).collect()
}

/// What a group's checks do to it; that of its own interface forbids it to be Active.
pub(super) fn tracks(group: &config::Group, checks: &[Check]) -> Vec<Track> {
    let own = track::Kind::Interface {
        interface: group.interface.clone(),
    };
    let implied = checks.iter().rposition(|check| check.kind == own);
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
