//! The agent on the Active node is started again: because somebody restarts it, or because it crashed and its
//! supervisor does so at once.
//!
//! Its kernel serves meanwhile, and the next agent goes on within the lease of the one before.

use std::time::Duration;

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage};
use crate::cluster::{Cluster, PREFERRED};

pub(super) const UNNOTICED: Promise = Promise {
    lost: Some(0),
    role_changes: Some(0),
    ..Promise::ONE_OWNER
};

pub(super) const RESTART: Scenario = Scenario {
    name: "restart",
    what: "the agent on node a is restarted, three times",
    setting: Setting::PLANNED,
    promise: UNNOTICED,
    play: |stage| {
        again_and_again(stage, "agent a restarted", |cluster| {
            cluster.hand_over(PREFERRED)?;
            cluster.start_again(PREFERRED)
        })
    },
};

pub(super) const CRASH: Scenario = Scenario {
    name: "crash-restart",
    what: "the agent on node a is killed and started at once, three times",
    setting: Setting::PLANNED,
    promise: UNNOTICED,
    play: crash,
};

pub(super) const CRASH_BY_ADVERTS: Scenario = Scenario {
    name: "crash-restart-adverts",
    what: "the same; only advertisements tell",
    setting: Setting::ADVERTS,
    promise: UNNOTICED,
    play: crash,
};

fn crash(stage: &mut Stage<'_>) -> Result<()> {
    again_and_again(stage, "agent a crashed and started", |cluster| {
        cluster.daemon(PREFERRED).kill()?;
        cluster.start_again(PREFERRED)
    })
}

fn again_and_again(
    stage: &mut Stage<'_>,
    label: &'static str,
    again: fn(&mut Cluster) -> Result<()>,
) -> Result<()> {
    // Not always at the same point of an interval.
    for pause in [1500, 1030, 1070] {
        stage.hold(Duration::from_millis(pause));
        stage.mark(label, again)?;
    }
    stage.hold(Duration::from_secs(2));
    Ok(())
}
