//! The network between the nodes loses frames for three seconds; the client reaches both all the time.
//!
//! Where anything at all still comes from the Active node, it lives, and nothing is to change. Only if nothing
//! comes, its death cannot be told from a network that works one way only; then it is told that it is not heard, and
//! gives way before it is replaced.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Promise, Scenario, Setting, Stage, power_off};
use crate::{
    cluster::{PREFERRED, STANDBY},
    lab::Loss,
};

const A_TO_B: (u8, u8) = (PREFERRED, STANDBY);
const B_TO_A: (u8, u8) = (STANDBY, PREFERRED);

const NOTHING_CHANGES: Promise = Promise {
    lost: Some(0),
    role_changes: Some(0),
    ..Promise::ONE_OWNER
};

pub(super) const ADVERTS: Scenario = Scenario {
    name: "advert-loss",
    what: "the nodes' advertisements are lost for 3 s, their probes pass",
    setting: Setting::PROBES,
    promise: Promise {
        noted: Some("adverts_lost"),
        ..NOTHING_CHANGES
    },
    play: |stage| play(stage, &[A_TO_B, B_TO_A], Loss::Adverts),
};

pub(super) const ONE_PATH: Scenario = Scenario {
    name: "one-path",
    what: "all IPv4 between the nodes is lost for 3 s, IPv6 passes",
    setting: Setting::PROBES,
    promise: NOTHING_CHANGES,
    play: |stage| play(stage, &[A_TO_B, B_TO_A], Loss::V4),
};

pub(super) const ONE_WAY: Scenario = Scenario {
    name: "one-way",
    what: "node a does not hear b for 3 s, b hears a",
    setting: Setting::PROBES,
    promise: NOTHING_CHANGES,
    play: |stage| play(stage, &[B_TO_A], Loss::All),
};

pub(super) const ONE_WAY_UNHEARD: Scenario = Scenario {
    name: "one-way-active-unheard",
    what: "node b does not hear a for 3 s, a hears b",
    setting: Setting::PROBES,
    promise: Promise {
        outage_ms: Some(power_off::LONGEST_OUTAGE_MS),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play: |stage| play(stage, &[A_TO_B], Loss::All),
};

fn play(stage: &mut Stage<'_>, ways: &[(u8, u8)], loss: Loss) -> Result<()> {
    stage.hold(Duration::from_millis(1500));
    stage.fault("frames are lost", |cluster| {
        let mut ways = ways.iter();
        ways.try_for_each(|(from, to)| cluster.lab().lose(*from, *to, loss))
    })?;
    stage.hold(Duration::from_secs(3));
    stage.mark("all frames pass", |cluster| {
        let lost = cluster.lab().lose_nothing()?;
        // A Backup that only listens, as keepalived's, sends nothing that could be lost.
        let listens = cluster.agent(STANDBY).is_none();
        ensure!(
            lost > 0 || listens,
            "no frame was lost, so nothing was shown"
        );
        Ok(())
    })?;
    stage.until_served_by(PREFERRED, Duration::from_secs(5));
    stage.hold(Duration::from_millis(1500));
    Ok(())
}
