//! The same failures where the agents watch each other with probes, each 3 ms.

use std::time::Duration;

use super::{Promise, Scenario, power_off};
use crate::cluster::{AnsweringMac, PREFERRED, STANDBY};

/// Between probes, milliseconds.
const PROBES_MS: u64 = 3;
/// Three intervals, what it takes to tell the peer, and the machine's noise.
const LONGEST_OUTAGE_MS: u32 = 20;

pub(super) const POWER_OFF: Scenario = Scenario {
    name: "power-off-probed",
    what: "node a loses power; probes each 3 ms",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: PROBES_MS,
    promise: Promise {
        lost: None,
        outage_ms: Some(LONGEST_OUTAGE_MS),
        takeover: true,
    },
    play: power_off::play,
};

pub(super) const AGENT_KILLED: Scenario = Scenario {
    name: "agent-killed-probed",
    what: "the agent on node a is killed; probes each 3 ms",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: PROBES_MS,
    // It serves until the lease ends, and says so at the next probe.
    promise: Promise {
        lost: None,
        outage_ms: Some(LONGEST_OUTAGE_MS),
        takeover: true,
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("agent a killed", |cluster| cluster.daemon(PREFERRED).kill())?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
