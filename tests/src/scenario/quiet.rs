//! Nothing happens: the noise of the machine, and the check that the lab itself loses nothing.

use std::time::Duration;

use super::{Promise, Scenario, Setting};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "quiet",
    what: "nothing happens",
    setting: Setting::ADVERTS,
    promise: Promise {
        lost: Some(0),
        role_changes: Some(0),
        ..Promise::ONE_OWNER
    },
    play: |stage| {
        stage.hold(Duration::from_secs(3));
        Ok(())
    },
};
