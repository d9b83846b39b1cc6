//! The nodes cannot hear each other for a while, though the client reaches both: so both are Active. Then
//! they hear each other again.
//!
//! When the split ends, the client's neighbour cache holds the MAC of the node that has to give way.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;

use super::{Promise, Scenario, Setting, Stage};
use crate::{
    cluster::{AnsweringMac, Cluster, STANDBY},
    command,
    node::INTERFACE,
};

const PROMISE: Promise = Promise {
    lost: Some(0),
    ..Promise::ONE_OWNER
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "split-heal",
    what: "the nodes do not hear each other for 1.5 s; then the client knows the wrong one",
    setting: Setting {
        mac: AnsweringMac::Interface,
        ..Setting::ADVERTS
    },
    promise: PROMISE,
    play,
};

pub(super) const WITH_VIRTUAL_MAC: Scenario = Scenario {
    name: "split-heal-vmac",
    what: "the same with a virtual MAC, which both nodes used",
    setting: Setting {
        mac: AnsweringMac::Virtual,
        ..Setting::ADVERTS
    },
    promise: PROMISE,
    play,
};

fn play(stage: &mut Stage<'_>) -> Result<()> {
    stage.hold(Duration::from_millis(500));
    stage.cut()?;
    stage.hold(Duration::from_millis(1500));
    stage.prepare(remember_the_loser)?;
    stage.heal()?;
    stage.hold(Duration::from_secs(3));
    Ok(())
}

/// Has the client take the loser's MAC for that of the virtual IPs, as after an answer of its. With the
/// virtual MAC there is nothing to mistake.
fn remember_the_loser(cluster: &Cluster) -> Result<()> {
    if cluster.service().mac == AnsweringMac::Virtual {
        return Ok(());
    }
    let loser = cluster.lab().node(STANDBY).mac();
    let entries: String = cluster
        .service()
        .vips
        .iter()
        .map(|vip: &IpAddr| {
            format!("neigh replace {vip} lladdr {loser} dev {INTERFACE} nud reachable\n")
        })
        .collect();
    command::ip_batch(cluster.lab().client().name(), &entries)
}
