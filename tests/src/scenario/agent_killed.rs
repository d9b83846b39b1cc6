//! The agent on the Active node crashes and nobody restarts it; its machine goes on.
//!
//! Its kernel serves until the lease ends. Then it is silent, and says so to those who probe it.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage, power_off};
use crate::cluster::{PREFERRED, STANDBY};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "agent-killed",
    what: "the agent on node a is killed (kill -9)",
    setting: Setting::PROBES,
    promise: Promise {
        outage_ms: Some(power_off::LONGEST_OUTAGE_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play,
};

pub(super) const BY_ADVERTS: Scenario = Scenario {
    name: "agent-killed-adverts",
    what: "the agent on node a is killed; only advertisements tell",
    setting: Setting::ADVERTS,
    promise: Promise {
        outage_ms: Some(power_off::LONGEST_BY_ADVERTS_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play,
};

fn play(stage: &mut Stage<'_>) -> Result<()> {
    stage.hold(Duration::from_millis(1500));
    stage.fault("agent a killed", |cluster| cluster.daemon(PREFERRED).kill())?;
    stage.until_served_by(STANDBY, Duration::from_secs(3));
    stage.hold(Duration::from_secs(2));
    Ok(())
}
