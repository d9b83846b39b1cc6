//! The first NIC of the Active node loses its link: the node serves on its second one, and goes back later.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage};
use crate::{
    cluster::PREFERRED,
    node::{INTERFACE, SECOND},
};

/// What may pass until the node is where it should be; the wait before it goes back is in it.
const LIMIT: Duration = Duration::from_secs(4);

pub(super) const SCENARIO: Scenario = Scenario {
    name: "local-recovery",
    what: "node a loses the link of its first NIC and serves on its second one; later the link is back",
    setting: Setting {
        has_second: true,
        ..Setting::PROBES
    },
    promise: Promise {
        // Netlink tells of the link at once; the rest is for the machine.
        outage_ms: Some(20),
        role_changes: Some(0),
        stays: true,
        ..Promise::ONE_OWNER
    },
    play,
};

fn play(stage: &mut Stage<'_>) -> Result<()> {
    stage.hold(Duration::from_millis(800));
    stage.fault("first cable unplugged", |cluster| {
        cluster.lab().unplug(PREFERRED)
    })?;
    stage.until_served_on(SECOND, LIMIT)?;
    stage.hold(Duration::from_millis(800));
    stage.mark("plugged in again", |cluster| {
        cluster.lab().plug_in(PREFERRED)
    })?;
    stage.until_served_on(INTERFACE, LIMIT)?;
    stage.hold(Duration::from_millis(800));
    Ok(())
}
