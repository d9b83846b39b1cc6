//! The Active node loses power: from one moment to the next nothing more is heard of it.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Stage};
use crate::cluster::{AnsweringMac, PREFERRED, STANDBY};

/// Three advertisements of 100 ms and the skew of priority 150 make 341 ms; the rest is for the
/// machine.
pub(super) const LONGEST_OUTAGE_MS: u32 = 400;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "power-off",
    what: "node a loses power",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: 0,
    promise: Promise {
        lost: None,
        outage_ms: Some(LONGEST_OUTAGE_MS),
        takeover: true,
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
