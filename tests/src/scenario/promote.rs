//! A planned move: the operator wants the addresses on the other node.

use std::time::Duration;

use super::{Promise, Scenario, Setting};
use crate::cluster::STANDBY;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "promote",
    what: "the operator moves the addresses to node b",
    setting: Setting::PLANNED,
    promise: Promise {
        lost: Some(3),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("promote b", |cluster| cluster.promote(STANDBY))?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
