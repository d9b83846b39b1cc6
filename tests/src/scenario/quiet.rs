//! Nothing happens: the noise of the machine, and the check that the lab itself loses nothing.

use std::time::Duration;

use super::{Promise, Scenario};
use crate::cluster::AnsweringMac;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "quiet",
    what: "nothing happens",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: 0,
    promise: Promise {
        lost: Some(0),
        outage_ms: None,
        takeover: false,
    },
    play: |stage| {
        stage.hold(Duration::from_secs(3));
        Ok(())
    },
};
