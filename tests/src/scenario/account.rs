//! What the programs under test say of a scenario: whether roles changed, and what they noted.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use crate::cluster::{Cluster, PREFERRED, STANDBY};

/// What the programs say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// How often a node began or ceased to have the virtual IPs, as the agents' epochs (or the log of
    /// keepalived) tell.
    pub role_changes: u64,
    /// Kinds of the events that the standby's agent has noted.
    #[serde(skip)]
    pub noted: BTreeSet<String>,
}

impl Account {
    /// `before` is what [`role_changes`] said at the beginning.
    pub(super) fn take(cluster: &Cluster, before: u64) -> Result<Self> {
        Ok(Self {
            role_changes: role_changes(cluster)?.saturating_sub(before),
            noted: cluster.noted(STANDBY)?,
        })
    }
}

/// How often the nodes have begun or ceased to have the virtual IPs.
pub(super) fn role_changes(cluster: &Cluster) -> Result<u64> {
    let of_each = [PREFERRED, STANDBY].map(|node| cluster.role_changes(node));
    of_each.into_iter().sum()
}
