//! Groups that move together: what follows for the others when one has changed.

use ha_core::{
    election::{Election as _, Input, Role},
    sync::{Member, follow},
};

use super::{Engine, execute::Outcome};

/// More rounds than members need to agree: what is left then is not to be had by going on.
const ROUNDS: usize = 8;

impl Engine {
    /// Hands `input` to the election of a group and does what it commands, for its sync group too.
    pub(super) fn input(&mut self, index: usize, input: Input) -> Outcome {
        let before = self.groups[index].election.role();
        let outcome = self.input_alone(index, input);
        if let Some(sync) = self.groups[index].sync {
            let left = has_left(before, self.groups[index].election.role());
            self.synchronise(sync, left);
        }
        outcome
    }

    /// Hands the operator's wish to a group, and to those that move with it.
    pub(super) fn order_all(&mut self, index: usize, input: &Input) -> Outcome {
        let members = match self.groups[index].sync {
            None => vec![index],
            Some(sync) => self.config.syncs[sync].groups.clone(),
        };
        let mut outcome = Outcome::Done;
        for member in members {
            match self.input_alone(member, input.clone()) {
                Outcome::Done => {}
                other @ (Outcome::Refused(_) | Outcome::Fenced | Outcome::Demoted) => {
                    outcome = other;
                }
            }
        }
        if let Some(sync) = self.groups[index].sync {
            // Where one was refused, those that were not let go again.
            let refused = !matches!(outcome, Outcome::Done);
            self.synchronise(sync, refused);
        }
        outcome
    }

    fn synchronise(&mut self, sync: usize, mut left: bool) {
        let groups = self.config.syncs[sync].groups.clone();
        for _ in 0..ROUNDS {
            let members: Vec<_> = groups.iter().map(|group| self.member(*group)).collect();
            let inputs = follow(&members, left);
            if inputs.is_empty() {
                return;
            }
            left = false;
            for (place, input) in inputs {
                let before = members[place].role;
                let _ = self.input_alone(groups[place], input);
                left |= has_left(before, self.member(groups[place]).role);
            }
        }
        let name = &self.config.syncs[sync].name;
        tracing::warn!(sync = %name, "the members do not come to agree");
    }

    fn member(&self, index: usize) -> Member {
        let election = &self.groups[index].election;
        Member {
            role: election.role(),
            is_ready: election.vrrp().is_some_and(|vrrp| vrrp.machine.is_ready()),
        }
    }
}

fn has_left(before: Role, after: Role) -> bool {
    before != Role::Backup && after == Role::Backup
}
