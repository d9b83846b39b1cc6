//! The agent on the Active node hangs for three seconds, and then goes on as if nothing had been.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage, power_off};
use crate::cluster::PREFERRED;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "agent-stopped",
    what: "the agent on node a hangs for 3 s (SIGSTOP, SIGCONT)",
    setting: Setting::PROBES,
    promise: Promise {
        outage_ms: Some(power_off::LONGEST_OUTAGE_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play,
};

pub(super) const BY_ADVERTS: Scenario = Scenario {
    name: "agent-stopped-adverts",
    what: "the agent on node a hangs for 3 s; only advertisements tell",
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
    stage.fault("agent a hangs", |cluster| {
        cluster.daemon(PREFERRED).freeze()
    })?;
    stage.hold(Duration::from_secs(3));
    stage.mark("agent a goes on", |cluster| {
        cluster.daemon(PREFERRED).thaw()
    })?;
    // Until the preferred node has its addresses back.
    stage.until_served_by(PREFERRED, Duration::from_secs(5));
    stage.hold(Duration::from_secs(1));
    Ok(())
}
