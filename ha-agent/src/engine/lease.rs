//! Taking a lease, and what follows when it was lost.

use anyhow::Result;
use ha_core::election::Input;

use super::Engine;

impl Engine {
    /// Asks for a lease and lets the elections take part under it.
    pub(super) fn take_lease(&mut self) -> Result<()> {
        // Role words of older leases are void under the new one, and Backup already; what was heard
        // before it must not be taken for an answer to what is said under it.
        self.forget_adverts();
        self.lease = Some(self.keeper.grant()?);
        self.start_groups();
        Ok(())
    }

    /// Lets all elections take part that do not yet.
    pub(super) fn start_groups(&mut self) {
        for index in 0..self.groups.len() {
            self.input(index, Input::Start);
        }
    }

    /// The keeper found that the lease had lapsed.
    pub(super) fn lapsed(&mut self, generation: u8) -> Result<()> {
        if self.lease == Some(generation) {
            self.fall_silent();
        }
        self.dataplane.flush_log();
        match self.lease {
            Some(_) => Ok(()),
            None => self.take_lease(),
        }
    }

    /// Whether the lease of the elections is still valid in the kernel.
    ///
    /// Asked before each act: an agent that was stopped wakes up in the middle of what it had decided,
    /// when a peer has taken over long ago.
    pub(super) fn holds_lease(&self) -> bool {
        let Some(generation) = self.lease else {
            return false;
        };
        self.keeper.holds(generation).unwrap_or_else(|error| {
            tracing::error!("cannot look at the lease: {error:#}");
            false
        })
    }

    /// Tells all elections that the lease has ended. The kernel has silenced the node already; the
    /// role words follow, and the keeper's notice brings the next lease.
    pub(super) fn fall_silent(&mut self) {
        if self.lease.take().is_none() {
            return;
        }
        let gave_way = self.keeper.gave_way().unwrap_or(false);
        let (kind, text, input) = if gave_way {
            let text = "a peer does not hear this node and takes over: the kernel ended the lease";
            ("gave_way", text, Input::GaveWay)
        } else {
            let text = "the agent did not renew its lease in time, and the kernel fenced the node";
            ("lease_lapsed", text, Input::LeaseLapsed)
        };
        tracing::error!("{text}");
        self.history.node(kind, text);
        for index in 0..self.groups.len() {
            self.input(index, input.clone());
        }
    }
}
