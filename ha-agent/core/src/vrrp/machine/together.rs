//! As a member of a sync group: takes over when all members can, and lets go when one does.

use super::{Machine, State, backup::Backup, let_go};
use crate::{
    election::{Cause, Command},
    time::Time,
};

impl Machine {
    /// Whether it would take over if it were not for the other members.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        match self.state {
            State::Backup(backup) => backup.is_ready,
            State::Initialize | State::Claiming(_) | State::Active(_) => false,
        }
    }

    /// Its Active_Down_Timer ran out; the others' may not have.
    pub(super) fn wait_for_members(&mut self, mut backup: Backup, now: Time) -> Vec<Command> {
        backup.is_ready = true;
        backup.down = now + self.own_active_down();
        self.state = State::Backup(backup);
        Vec::new()
    }

    /// All members are ready.
    pub(super) fn join(&mut self, now: Time) -> Vec<Command> {
        match self.state {
            State::Backup(mut backup) if backup.is_ready => {
                self.expire_peers(now);
                if self.is_next(&mut backup, now) {
                    return self.succeed(&backup, now);
                }
                self.state = State::Backup(backup);
                Vec::new()
            }
            State::Initialize | State::Backup(_) | State::Claiming(_) | State::Active(_) => {
                Vec::new()
            }
        }
    }

    /// Another member ceased to be Active.
    pub(super) fn leave(&mut self, now: Time) -> Vec<Command> {
        let down = now + self.own_active_down();
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) => self.step_back(now, down, Cause::MemberLeft),
            // It is about to be claimed like the other.
            State::Active(_) if self.hands_over() => Vec::new(),
            State::Active(_) => {
                let mut commands = self.step_back(now, down, Cause::MemberLeft);
                commands.push(let_go());
                commands
            }
        }
    }
}
