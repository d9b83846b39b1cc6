//! What the status says of other nodes, and of the witness.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A way to a peer whose liveness is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The peer's name.
    pub name: String,
    /// The interface over which it is probed.
    pub interface: String,
    /// The address at which it is probed.
    pub address: IpAddr,
    /// `up`, `down` (its lease has lapsed), `lost`, or `unknown` before the first answer.
    pub state: String,
    /// Whether it says that it hears this node; `None` before its first question.
    #[serde(default)]
    pub hears_us: Option<bool>,
    /// Between probes, milliseconds.
    pub interval_ms: f64,
    /// A silence of so many intervals is a loss.
    pub multiplier: u32,
    /// From probe to answer; `None` before the first answer.
    pub round_trip: Option<RoundTrip>,
    /// The longest silence after which it was still there, milliseconds.
    pub longest_silence_ms: f64,
    /// Its answers so far.
    pub replies: u64,
    /// Its questions so far.
    pub requests: u64,
    /// What is strange about it, as that it is heard and has never answered.
    #[serde(default)]
    pub note: Option<String>,
}

/// Times from probe to answer, microseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// Of the newest answer.
    pub last_us: f64,
    /// The mean, in which older ones fade.
    pub mean_us: f64,
    /// The longest so far.
    pub longest_us: f64,
}

/// The witness without which nobody is presumed dead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// Its address, or the name of its agent.
    pub name: String,
    /// `answers`, `missing`, or `unknown` until it has been looked at.
    pub state: String,
    /// Since when, seconds since 1970.
    pub since: Option<f64>,
}
