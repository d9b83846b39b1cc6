//! The agent on the Active node crashes and nobody restarts it; its machine goes on.

use std::time::Duration;

use super::{Promise, Scenario, power_off};
use crate::cluster::{AnsweringMac, PREFERRED, STANDBY};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "agent-killed",
    what: "the agent on node a is killed (kill -9)",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: 0,
    promise: Promise {
        lost: None,
        outage_ms: Some(power_off::LONGEST_OUTAGE_MS),
        takeover: true,
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("agent a killed", |cluster| cluster.daemon(PREFERRED).kill())?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_secs(2));
        Ok(())
    },
};
