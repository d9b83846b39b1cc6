//! Start, loss of the lease, stop (RFC 9568 sections 6.4.1 and 6.4.3, Shutdown).

use ha_common::wire::vrrp::PRIORITY_OWNER;

use super::{Hold, Machine, State, let_go};
use crate::{
    election::{Cause, Command},
    time::Time,
};

impl Machine {
    /// Takes part, under a new lease.
    pub(super) fn start(&mut self, now: Time) -> Vec<Command> {
        self.expire_peers(now);
        let backup = self.fresh_backup(now);
        let startup_ends = *self
            .startup_ends
            .get_or_insert(now + self.config.startup_delay);
        let takes_part = startup_ends <= now
            && self.hold != Hold::Operator
            && self.is_fit
            && !self.config.is_synced
            && !self.config.needs_witness;
        if self.priority == PRIORITY_OWNER && takes_part {
            let end = self
                .silence_ends(&backup)
                .min(now + self.config.yield_grace);
            return self.take_over(now, end, Cause::AddressOwner);
        }
        self.state = State::Backup(backup);
        vec![self.backup_role(Cause::Started)]
    }

    /// Goes on as Active, as the agent before this one was with `priority`.
    pub(super) fn resume(&mut self, now: Time, priority: u8) -> Vec<Command> {
        if !self.is_fit {
            return self.start(now);
        }
        // To fall below a promotion's bid would hand the group back to whom it outbid.
        if priority < PRIORITY_OWNER {
            self.priority = self.priority.max(priority);
        }
        self.startup_ends = Some(now);
        self.become_active(now, Cause::Resumed)
    }

    /// Waits for a new lease, in silence.
    pub(super) fn lapse(&mut self, cause: Cause) -> Vec<Command> {
        match self.state {
            State::Initialize => Vec::new(),
            State::Backup(_) | State::Claiming(_) | State::Active(_) => {
                let commands = self.fall_silent(cause);
                // Who could not answer in time was this node, not the peer.
                self.hold = match self.hold {
                    Hold::Until(_) | Hold::None => Hold::None,
                    Hold::Operator => Hold::Operator,
                };
                self.state = State::Initialize;
                commands
            }
        }
    }

    /// Lets go, and takes part no more.
    pub(super) fn stop(&mut self) -> Vec<Command> {
        let last_words = match self.state {
            State::Initialize => return Vec::new(),
            State::Backup(_) | State::Claiming(_) => None,
            State::Active(_) => Some(let_go()),
        };
        let mut commands = self.fall_silent(Cause::Stopping);
        commands.extend(last_words);
        self.hold = Hold::None;
        self.startup_ends = None;
        self.state = State::Initialize;
        commands
    }
}
