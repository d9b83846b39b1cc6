//! The kernel's half of a node, as the data path keeps it: words, lease and its timer.

use std::time::Duration;

use ha_common::{
    abi::{Demotion, Role, RoleWord},
    fence::{Standing, standing},
    lease::{LeaseState, LeaseWord},
};
use ha_core::{time::Time, word};

/// What outlives the agent.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    word: RoleWord,
    demoted: Demotion,
    pub(crate) lease: LeaseWord,
    /// The priority now in force, as the agent has published it.
    pub(crate) priority: u8,
    /// When the lease's timer fires.
    pub(crate) lapses: Option<Time>,
}

impl Kernel {
    pub(crate) fn standing(&self) -> Standing {
        standing(self.word, self.demoted, self.lease)
    }

    pub(crate) fn grant(&mut self, now: Time, length: Duration) -> u8 {
        self.lease.grants += 1;
        self.lease.generation = self.lease.grants as u8;
        self.lease.state = LeaseState::Valid as u8;
        self.lapses = Some(now + length);
        self.lease.generation
    }

    /// Prolongs the lease; `false` if it has lapsed.
    pub(crate) fn renew(&mut self, now: Time, length: Duration, generation: u8) -> bool {
        let valid = self.holds(generation);
        if valid {
            self.lapses = Some(now + length);
        }
        valid
    }

    pub(crate) fn holds(&self, generation: u8) -> bool {
        LeaseState::from_u8(self.lease.state) == LeaseState::Valid
            && self.lease.generation == generation
    }

    /// What it answers to a probe of the node.
    pub(crate) fn is_up(&self) -> bool {
        LeaseState::from_u8(self.lease.state) == LeaseState::Valid
    }

    /// The timer has fired, or the agent gives the lease up.
    pub(crate) fn lapse(&mut self) {
        self.lapses = None;
        self.lease.state = LeaseState::Lapsed as u8;
    }

    /// An advertisement that outranks the node takes its role back.
    pub(crate) fn demote(&mut self) {
        self.demoted.epoch = self.demoted.epoch.max(self.word.epoch);
    }

    /// Writes Backup in place of what an agent left behind, unless this one goes on with it.
    pub(crate) fn silence(&mut self) {
        self.word.role = Role::Backup as u8;
    }

    pub(crate) fn store(&mut self, role: Role, generation: u8) {
        self.word = word::next(self.word, self.demoted, role, 0, generation)
            .expect("a simulation has fewer role changes than epochs");
    }
}
