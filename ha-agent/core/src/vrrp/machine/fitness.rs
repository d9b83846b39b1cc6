//! What the checks make of the node: its priority, and whether it may be Active at all.

use super::{Machine, State};
use crate::{
    election::{Cause, Command, Duty},
    time::Time,
    track::Fitness,
};

impl Machine {
    pub(super) fn weigh(&mut self, now: Time, fitness: Fitness) -> Vec<Command> {
        match fitness {
            Fitness::Faulty { check: _ } => self.fail(now),
            Fitness::Eligible { priority } => {
                self.weighed = priority;
                self.passes_checks = true;
                self.refit(now);
                self.set_base(now)
            }
        }
    }

    fn fail(&mut self, now: Time) -> Vec<Command> {
        self.passes_checks = false;
        self.is_fit = false;
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) => self.step_back(now, now, Cause::CheckFailed),
            State::Active(_) => self.let_go_for(now, Cause::CheckFailed),
        }
    }

    /// Takes part again if nothing forbids it, and first listens: what it has not heard meanwhile it cannot know.
    pub(super) fn refit(&mut self, now: Time) {
        if self.is_fit || !self.passes_checks || self.duty == Duty::Maintenance {
            return;
        }
        self.is_fit = true;
        match self.state {
            State::Backup(_) => self.state = State::Backup(self.following_backup(now)),
            State::Initialize | State::Claiming(_) | State::Active(_) => {}
        }
    }

    /// Whoever listens is told a changed priority at once: it may be theirs to take over.
    pub(super) fn set_base(&mut self, now: Time) -> Vec<Command> {
        let base = self.dutiful();
        if self.hands_over() {
            self.rebase(base);
            return Vec::new();
        }
        let before = self.priority;
        let is_promoted = self.priority != self.base && self.duty == Duty::Serve;
        self.base = base;
        self.priority = if is_promoted { before.max(base) } else { base };
        if self.priority == before {
            return Vec::new();
        }
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) => vec![self.advertise()],
            State::Active(_) => self.active_timer(now),
        }
    }
}
