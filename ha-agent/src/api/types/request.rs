//! What can be asked for, and what is answered.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::difference::Change;

/// Body of a request that names virtual IPs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vips {
    /// The addresses.
    pub vips: Vec<IpAddr>,
}

/// Body of `POST /v1/groups/{group}/switchover`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switchover {
    /// The node that is to be Active: the name of a peer in this node's configuration, one of its addresses, or this
    /// node's own name. `None`: the first peer that lives.
    #[serde(default)]
    pub to: Option<String>,
    /// Whether the answer comes only when it is over; otherwise as soon as the heir has been asked.
    #[serde(default)]
    pub wait: bool,
}

/// Body of `POST /v1/reload`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// Whether only to say what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// Answer to `POST /v1/reload`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Whether it was done, or only looked at.
    pub applied: bool,
    /// What `cksum` prints for the file that was read.
    pub checksum: String,
    /// What has changed, or would.
    pub changes: Vec<Change>,
    /// What could not be done; all else is in force.
    pub problems: Vec<String>,
}

/// Body of `POST /v1/node/duty`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetDuty {
    /// What the node may do from now on: `serve`, `drained` or `maintenance`.
    pub duty: String,
    /// Whether the answer comes only when others have taken over what this node had.
    #[serde(default)]
    pub wait: bool,
}

/// Answer to a request that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What has changed, as a sentence.
    pub done: String,
}

/// Answer to a request that was not granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// Why not.
    pub error: String,
}
