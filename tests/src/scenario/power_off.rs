//! The Active node loses power: from one moment to the next nothing more is heard of it.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage};
use crate::cluster::{PREFERRED, STANDBY};

/// Three intervals of 3 ms, what it takes to tell the peer, and the machine's noise.
pub(super) const LONGEST_OUTAGE_MS: u32 = 20;
/// The same without the noise.
const MEDIAN_OUTAGE_MS: u32 = 12;
/// Three advertisements of 100 ms and the skew of priority 150 make 341 ms; the rest is for the
/// machine.
pub(super) const LONGEST_BY_ADVERTS_MS: u32 = 400;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "power-off",
    what: "node a loses power",
    setting: Setting::PROBES,
    promise: Promise {
        outage_ms: Some(LONGEST_OUTAGE_MS),
        median_outage_ms: Some(MEDIAN_OUTAGE_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play,
};

pub(super) const BY_ADVERTS: Scenario = Scenario {
    name: "power-off-adverts",
    what: "node a loses power; only advertisements tell",
    setting: Setting::ADVERTS,
    promise: Promise {
        outage_ms: Some(LONGEST_BY_ADVERTS_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play,
};

pub(super) fn play(stage: &mut Stage<'_>) -> Result<()> {
    stage.hold(Duration::from_millis(1500));
    stage.fault("a unplugged", |cluster| cluster.lab().unplug(PREFERRED))?;
    stage.until_served_by(STANDBY, Duration::from_secs(3));
    stage.hold(Duration::from_millis(1500));
    Ok(())
}
