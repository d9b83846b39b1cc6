//! A planned move: the operator wants the addresses on the other node.

use std::time::Duration;

use super::{Promise, Scenario};
use crate::cluster::{AnsweringMac, STANDBY};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "promote",
    what: "the operator moves the addresses to node b",
    vips: (1, 1),
    mac: AnsweringMac::Virtual,
    probes_ms: 0,
    promise: Promise {
        lost: Some(3),
        outage_ms: None,
        takeover: true,
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("promote b", |cluster| cluster.promote(STANDBY))?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
