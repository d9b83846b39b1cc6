//! What the status says of BFD sessions.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

/// A BFD session with a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bfd {
    /// Its name.
    pub name: String,
    /// The interface that it runs over.
    pub interface: String,
    /// The router's address.
    pub address: IpAddr,
    /// `admin_down`, `down`, `init` or `up`.
    pub state: String,
    /// Why it last left Up, as the router is told: a diagnostic of RFC 5880 section 4.1 in words, as
    /// `detection_time_expired`; `none` while it is Up.
    pub diagnostic: String,
    /// The router's state; `None` when it has been silent for longer than a detection time.
    pub remote_state: Option<String>,
    /// The router's diagnostic, or `reserved` for a number that has no meaning.
    pub remote_diagnostic: Option<String>,
    /// Its number here.
    pub discriminator: u32,
    /// Its number at the router.
    pub remote_discriminator: Option<u32>,
    /// Agreed time between own packets, without jitter, milliseconds.
    pub transmit_interval_ms: f64,
    /// The router's silence that is a failure, milliseconds.
    pub detection_time_ms: Option<f64>,
    /// Since when it is Up, seconds since 1970; `None` while it is not.
    pub up_since: Option<f64>,
    /// Since when it has its state, seconds since 1970.
    pub since: f64,
    /// How often it came Up.
    pub ups: u64,
    /// Packets of the router.
    pub packets_in: u64,
    /// Packets to the router.
    pub packets_out: u64,
    /// Whether echo packets are sent now.
    #[serde(default)]
    pub echo_active: bool,
    /// Echo packets that the router has sent back.
    #[serde(default)]
    pub echoes_in: u64,
    /// Echo packets sent.
    #[serde(default)]
    pub echoes_out: u64,
    /// Packets of the router that were discarded, by the rule that they broke.
    pub discards: BTreeMap<String, u64>,
}
