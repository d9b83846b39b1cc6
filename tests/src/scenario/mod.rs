//! Failures, and what they cost: one file each.
//!
//! A scenario starts two nodes and waits until the first, the preferred one, has the virtual IPs. While a
//! thousand probes a second of each kind ask for them, it lets something happen to that node. The
//! outcome is what the probes met.

mod account;
mod agent_killed;
mod agent_stopped;
mod app_killed;
mod drain;
mod local_recovery;
mod lossy;
mod many_vips;
mod outcome;
mod power_off;
mod promise;
mod promote;
mod quiet;
mod reload;
mod restart;
mod setting;
mod split_heal;
mod stage;
mod switchover;
mod upgrade;

use anyhow::{Context, Result};

pub use self::{
    account::Account,
    outcome::Outcome,
    promise::{Promise, many_vips_are_as_quick},
};
use self::{setting::Setting, stage::Stage};
use crate::cluster::System;

/// A failure to try.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// What happens, in a few words for somebody who has never heard of the program.
    pub what: &'static str,
    /// What is set up before.
    setting: Setting,
    /// What the agent promises for it.
    pub promise: Promise,
    play: fn(&mut Stage<'_>) -> Result<()>,
}

/// All scenarios. The first injects no fault and shows the noise of the machine.
pub const ALL: [&Scenario; 26] = [
    &quiet::SCENARIO,
    &promote::SCENARIO,
    &switchover::SCENARIO,
    &switchover::DEAF_CLIENT,
    &drain::SCENARIO,
    &power_off::SCENARIO,
    &agent_killed::SCENARIO,
    &agent_stopped::SCENARIO,
    &app_killed::SCENARIO,
    &local_recovery::SCENARIO,
    &reload::SCENARIO,
    &restart::RESTART,
    &restart::CRASH,
    &restart::CRASH_BY_ADVERTS,
    &upgrade::PROGRAM,
    &upgrade::SCHEMA,
    &lossy::ADVERTS,
    &lossy::ONE_PATH,
    &lossy::ONE_WAY,
    &lossy::ONE_WAY_UNHEARD,
    &power_off::BY_ADVERTS,
    &agent_killed::BY_ADVERTS,
    &agent_stopped::BY_ADVERTS,
    &many_vips::SCENARIO,
    &split_heal::SCENARIO,
    &split_heal::WITH_VIRTUAL_MAC,
];

/// The scenario with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.into_iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// Whether it takes agents that were built otherwise.
    #[must_use]
    pub const fn needs_variants(&self) -> bool {
        self.setting.has_variants
    }

    /// Plays the scenario in a lab of its own. `tell` is called with what is being done.
    ///
    /// Logs and captures are kept if the promise was broken.
    ///
    /// # Errors
    ///
    /// When it could not be played: not what the failure did, but that it could not be tried.
    pub fn run(&self, system: &System, tell: &mut dyn FnMut(&str)) -> Result<Outcome> {
        Stage::set(self, system, tell)
            .and_then(|mut stage| {
                (self.play)(&mut stage).inspect_err(|_| stage.keep_evidence())?;
                stage.finish()
            })
            .with_context(|| format!("playing the scenario {}", self.name))
    }
}
