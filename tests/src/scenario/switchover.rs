//! A planned move that the present owner makes: nothing is lost, also not of a client that does not hear of it.

use std::time::Duration;

use super::{Promise, Scenario, Setting};
use crate::cluster::{AnsweringMac, PREFERRED, STANDBY};

const PROMISE: Promise = Promise {
    lost: Some(0),
    // One node ceases, the other begins.
    role_changes: Some(2),
    noted: Some("asked_to_take_over"),
    takeover: true,
    ..Promise::ONE_OWNER
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "switchover",
    what: "node a is told to hand the addresses over",
    setting: Setting::PLANNED,
    promise: PROMISE,
    play: |stage| {
        stage.hold(Duration::from_millis(1500));
        stage.fault("switchover", |cluster| cluster.switch_over(PREFERRED))?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};

pub(super) const DEAF_CLIENT: Scenario = Scenario {
    name: "switchover-deaf-client",
    what: "node a hands the addresses over, and the client never hears of it",
    setting: Setting {
        mac: AnsweringMac::Interface,
        ..Setting::PLANNED
    },
    promise: PROMISE,
    play: |stage| {
        stage.prepare(|cluster| {
            cluster
                .lab()
                .deafen_client(PREFERRED, &cluster.service().vips)
        })?;
        stage.hold(Duration::from_millis(1500));
        stage.fault("switchover", |cluster| cluster.switch_over(PREFERRED))?;
        stage.until_served_by(STANDBY, Duration::from_secs(3));
        stage.hold(Duration::from_millis(1500));
        Ok(())
    },
};
