//! Falling silent: because another node is better, or for a reason of the node's own.

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Hold, Machine, State};
use crate::{
    election::{Cause, Command, Duty, Role},
    time::Time,
    vrrp::config::Peers,
};

impl Machine {
    /// Steps back because `heard` is better, and tells its sender so with `priority`.
    pub(super) fn yield_to(&mut self, now: Time, heard: &Heard<'_>, priority: u8) -> Vec<Command> {
        let cause = self.gives_way(heard);
        let mut commands = self.step_back(now, now, cause);
        if self.is_understood(priority) {
            commands.push(Command::SendAdvert {
                priority,
                to: Some(heard.from),
            });
        }
        commands
    }

    /// Whether the one to whom this node gives way with `priority` can take it for that. To a unicast
    /// peer an own priority would be a claim that goes on.
    const fn is_understood(&self, priority: u8) -> bool {
        match &self.config.peers {
            Peers::Multicast => true,
            Peers::Unicast(_) => priority == PRIORITY_RELEASE,
        }
    }

    /// Whether what came to this node alone is about a claim, not an ordinary advertisement.
    pub(super) fn is_answer(&self, priority: u8) -> bool {
        match (&self.config.peers, self.state) {
            (Peers::Multicast, _) | (Peers::Unicast(_), State::Claiming(_)) => {
                self.config.peers.is_answer(priority)
            }
            (Peers::Unicast(_), State::Initialize | State::Backup(_) | State::Active(_)) => false,
        }
    }

    /// The kernel took the role back, having seen what outranks this node before the election did.
    pub(super) fn demoted(&mut self, now: Time, priority: u8) -> Vec<Command> {
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) | State::Active(_) => {
                self.step_back(now, now, Cause::Demoted { priority })
            }
        }
    }

    /// Goes to Backup and follows the best peer; Active_Down_Timer is at least `down`.
    pub(super) fn step_back(&mut self, now: Time, down: Time, cause: Cause) -> Vec<Command> {
        // Who wanted to be relieved does not come back by itself.
        if self.hands_over() {
            self.hold = Hold::Operator;
        }
        let commands = self.fall_silent(cause);
        let mut backup = self.following_backup(now);
        backup.down = backup.down.max(down);
        self.state = State::Backup(backup);
        commands
    }

    /// The commands with which a node ceases to answer; the operator's promotion ends with it.
    pub(super) fn fall_silent(&mut self, cause: Cause) -> Vec<Command> {
        self.base = self.dutiful();
        self.priority = self.base;
        if self.duty == Duty::Maintenance {
            self.is_fit = false;
        }
        let mut commands = vec![self.backup_role(cause)];
        match self.state {
            State::Active(_) => commands.push(Command::StopAnnouncing),
            State::Initialize | State::Backup(_) | State::Claiming(_) => {}
        }
        commands
    }

    pub(super) fn backup_role(&self, cause: Cause) -> Command {
        Command::SetRole {
            role: Role::Backup,
            active: self.peers.best().map(|peer| peer.address),
            cause,
        }
    }
}
