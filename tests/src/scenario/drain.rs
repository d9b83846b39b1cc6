//! A node that is taken out of service and brought back.

use std::time::Duration;

use super::{Promise, Scenario, Setting};
use crate::cluster::{PREFERRED, STANDBY};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "drain",
    what: "node a is drained, and later takes part again",
    setting: Setting::PLANNED,
    promise: Promise {
        lost: Some(0),
        // The heir has bid more than the node has, so it is not taken back.
        role_changes: Some(2),
        noted: Some("asked_to_take_over"),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("drain a", |cluster| cluster.set_drained(PREFERRED, true))?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        stage.mark("undrain a", |cluster| cluster.set_drained(PREFERRED, false))?;
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
