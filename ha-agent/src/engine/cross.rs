//! Going on with maps of this agent's schema, where those of another one were in force.
//!
//! The elections have gone on meanwhile under the other's lease, with the other's words. Each step leaves a state
//! from which an agent of either schema goes on, should this one be killed after it: which maps are in force is
//! told by the program on the interface, and all other leases are ended by whoever starts next.

use anyhow::Result;
use ha_core::{election::Input, word::is_taken_back};

use super::Engine;
use crate::{
    dataplane::Programs,
    fault::{self, Point},
};

impl Engine {
    /// Puts this agent's programs and maps in the place of the others.
    pub(super) fn cross(&mut self, programs: Programs) -> Result<()> {
        self.dataplane.carry()?;
        self.carry_guests()?;
        self.dataplane.set_routers(&self.virtual_routers())?;
        // Whoever asks over the own programs must be answered at once.
        self.answer_peers()?;
        let next = self.dataplane.next_switch()?;
        let granted = match self.lease {
            // Granted before the other lease is looked at: an agent that stands still in between finds this one
            // lapsed when it wakes up.
            Some(_) => Some(self.keeper.grant_beside(&next)?),
            None => None,
        };
        fault::reached(Point::Granted);
        if let (Some(generation), true) = (granted, self.holds_lease()) {
            self.dataplane.give_words(self.keeper.lease()?, generation);
        }
        self.dataplane.cross(programs)?;
        // That the kernel ended the other lease at the last moment counts for this one, too.
        if granted.is_some() && !self.holds_lease() {
            next.give_up()?;
            self.fall_silent();
        }
        self.lease = self.lease.and(granted);
        self.keeper.change(next, self.lease).give_up()?;
        fault::reached(Point::GivenUp);
        self.heed_demotions_before();
        tracing::info!("goes on with maps of its own schema");
        Ok(())
    }

    /// Tells the elections what the kernel took back in the other's maps.
    pub(super) fn heed_demotions_before(&mut self) {
        for index in 0..self.groups.len() {
            let slot = self.groups[index].slot;
            let word = self.dataplane.groups.word(slot);
            let before = self.dataplane.demotion_before(slot);
            if let Some(demoted) = before.filter(|demoted| is_taken_back(word, *demoted)) {
                let priority = u8::try_from(demoted.priority).unwrap_or(u8::MAX);
                // It commands nothing that could be refused.
                let _ = self.execute(index, Input::Demoted { priority });
            }
        }
    }

    /// Has nothing left of another schema.
    pub(super) fn be_alone(&mut self) -> Result<()> {
        // What was on its way through the other's program has come to its end long ago.
        self.heed_demotions_before();
        self.dataplane.be_alone()
    }
}
