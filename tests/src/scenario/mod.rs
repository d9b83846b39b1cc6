//! Failures, and what they cost: one file each.
//!
//! A scenario starts two nodes and waits until the first, the preferred one, has the virtual IPs. While a
//! thousand probes a second of each kind ask for them, it lets something happen to that node. The
//! outcome is what the probes met.

mod agent_killed;
mod agent_stopped;
mod many_vips;
mod outcome;
mod power_off;
mod probed;
mod promise;
mod promote;
mod quiet;
mod split_heal;
mod stage;

use std::time::Duration;

use anyhow::{Context, Result};

use self::stage::Stage;
pub use self::{
    outcome::Outcome,
    promise::{Promise, many_vips_are_as_quick},
};
use crate::cluster::{AnsweringMac, Service, System};

/// A failure to try.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// What happens, in a few words for somebody who has never heard of the program.
    pub what: &'static str,
    /// How many v4 and v6 virtual IPs the nodes share.
    vips: (u32, u32),
    /// MAC that answers for them.
    mac: AnsweringMac,
    /// Time between the probes with which the agents watch each other, milliseconds; 0 for none.
    probes_ms: u64,
    /// What the agent promises for it.
    pub promise: Promise,
    play: fn(&mut Stage<'_>) -> Result<()>,
}

/// All scenarios. The first injects no fault and shows the noise of the machine.
pub const ALL: [&Scenario; 10] = [
    &quiet::SCENARIO,
    &promote::SCENARIO,
    &power_off::SCENARIO,
    &agent_killed::SCENARIO,
    &agent_stopped::SCENARIO,
    &many_vips::SCENARIO,
    &probed::POWER_OFF,
    &probed::AGENT_KILLED,
    &split_heal::SCENARIO,
    &split_heal::WITH_VIRTUAL_MAC,
];

/// The scenario with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.into_iter().find(|scenario| scenario.name == name)
}

impl Scenario {
    /// Plays the scenario in a lab of its own. `tell` is called with what is being done.
    ///
    /// Logs and captures are kept if the promise was broken.
    ///
    /// # Errors
    ///
    /// When it could not be played: not what the failure did, but that it could not be tried.
    pub fn run(&self, system: &System, tell: &mut dyn FnMut(&str)) -> Result<Outcome> {
        let (v4, v6) = self.vips;
        let service = Service {
            mac: self.mac,
            liveness: (self.probes_ms > 0).then(|| Duration::from_millis(self.probes_ms)),
            ..Service::new(v4, v6)
        };
        Stage::set(self, system, service, tell)
            .and_then(|mut stage| {
                (self.play)(&mut stage).inspect_err(|_| stage.keep_evidence())?;
                stage.finish()
            })
            .with_context(|| format!("playing the scenario {}", self.name))
    }
}
