//! What the checks make of the node: its priority, and whether it may be Active at all.

use super::{Machine, State, let_go};
use crate::{
    election::{Cause, Command},
    time::Time,
    track::Fitness,
};

impl Machine {
    pub(super) fn weigh(&mut self, now: Time, fitness: Fitness) -> Vec<Command> {
        match fitness {
            Fitness::Faulty { check: _ } => self.fail(now),
            Fitness::Eligible { priority } => {
                self.recover(now);
                self.set_base(now, priority)
            }
        }
    }

    fn fail(&mut self, now: Time) -> Vec<Command> {
        self.is_fit = false;
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) => self.step_back(now, now, Cause::CheckFailed),
            State::Active(_) => {
                let mut commands = self.step_back(now, now, Cause::CheckFailed);
                commands.push(let_go());
                commands
            }
        }
    }

    /// Takes part again, and first listens: what it has not heard meanwhile it cannot know.
    fn recover(&mut self, now: Time) {
        if self.is_fit {
            return;
        }
        self.is_fit = true;
        match self.state {
            State::Backup(_) => self.state = State::Backup(self.following_backup(now)),
            State::Initialize | State::Claiming(_) | State::Active(_) => {}
        }
    }

    /// Whoever listens is told a changed priority at once: it may be theirs to take over.
    fn set_base(&mut self, now: Time, base: u8) -> Vec<Command> {
        let before = self.priority;
        let is_promoted = self.priority != self.base;
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
