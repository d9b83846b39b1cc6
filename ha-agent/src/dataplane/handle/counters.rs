//! What the data path has counted, and what it reports.

use anyhow::Result;
use ha_common::{
    abi::{Stale, StaleKey, Traffic},
    reason::{Reason, Verdict},
};

use super::{Dataplane, Events};

impl Dataplane {
    /// Frames by reason.
    ///
    /// # Errors
    /// The kernel's.
    pub fn reasons(&self) -> Result<Vec<(Reason, Traffic)>> {
        self.own_ref()?.stats.reasons()
    }

    /// Frames of the group in a slot by verdict.
    ///
    /// # Errors
    /// The kernel's.
    pub fn traffic(&self, slot: u32) -> Result<Vec<(Verdict, Traffic)>> {
        self.own_ref()?.stats.traffic(slot)
    }

    /// Who still uses this node for the group in a slot.
    ///
    /// # Errors
    /// The kernel's.
    pub fn stale(&self, slot: u32) -> Result<Vec<(StaleKey, Stale)>> {
        self.own_ref()?.stale.of(slot)
    }

    /// What the kernel reports from now on.
    ///
    /// # Errors
    /// If the ring cannot be read.
    pub fn events(&self) -> Result<Events> {
        Events::open(&self.pins)
    }
}
