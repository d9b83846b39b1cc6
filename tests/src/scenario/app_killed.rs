//! The application on the Active node crashes; the machine and its agent go on.

use std::time::Duration;

use super::{Promise, Scenario, Setting};
use crate::cluster::{PREFERRED, STANDBY};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "app-killed",
    what: "the application on node a is killed (kill -9)",
    setting: Setting {
        has_application: true,
        ..Setting::PROBES
    },
    promise: Promise {
        // The kernel tells the agent, which lets go; nobody has to find out by silence.
        outage_ms: Some(10),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("application a killed", |cluster| {
            cluster.application(PREFERRED).kill()
        })?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
