//! The agent on the Active node hangs for three seconds, and then goes on as if nothing had been.

use std::time::Duration;

use super::{Promise, Scenario, power_off};
use crate::cluster::{AnsweringMac, PREFERRED};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "agent-stopped",
    what: "the agent on node a hangs for 3 s (SIGSTOP, SIGCONT)",
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
    },
};
