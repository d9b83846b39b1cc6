//! What the lab looks at of an agent's status.

use std::net::IpAddr;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What of `ha-agent status --json` the lab looks at.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) configuration: Option<ConfigurationStatus>,
    pub(super) interfaces: Vec<InterfaceStatus>,
    pub(super) groups: Vec<GroupStatus>,
    pub(super) events: Vec<EventStatus>,
    #[serde(default)]
    pub(super) peers: Vec<Way>,
    #[serde(default)]
    pub(super) bfd: Vec<BfdStatus>,
    pub(super) reasons: Vec<ReasonStatus>,
    #[serde(default)]
    pub(super) guests: Vec<GuestStatus>,
}

#[derive(Debug, Deserialize)]
pub(super) struct InterfaceStatus {
    pub(super) name: String,
    pub(super) index: u32,
    pub(super) gone: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct GroupStatus {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) interface: String,
    #[serde(default)]
    pub(super) stands_in: Option<String>,
    #[serde(default)]
    pub(super) ways: Vec<LocalWay>,
    pub(super) role: String,
    pub(super) epoch: u32,
    pub(super) since: Option<f64>,
    pub(super) vips: usize,
    /// Why the kernel does not act on the role, if it does not.
    pub(super) fenced: Option<String>,
    pub(super) priority: Option<u8>,
    #[serde(default)]
    pub(super) mac: String,
    pub(super) mac4: String,
    #[serde(default)]
    pub(super) mac_note: Option<String>,
    pub(super) stale_senders: Vec<StaleSender>,
}

/// An interface on which a group may be served.
#[derive(Debug, Deserialize)]
pub(super) struct LocalWay {
    pub(super) targets: Option<String>,
}

/// With which MAC a group answers, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// `virtual` or `interface`.
    pub mac: String,
    /// The MAC for IPv4.
    pub mac4: String,
    /// What is worth knowing about it.
    pub note: Option<String>,
}

/// Who has used the node while it was not Active.
#[derive(Clone, Debug, Deserialize)]
pub struct StaleSender {
    /// Its address.
    pub address: IpAddr,
    /// The MAC from which its frames come.
    pub mac: String,
    /// Frames.
    pub packets: u64,
    /// How long ago the last one came, seconds.
    pub seconds_ago: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConfigurationStatus {
    pub(super) checksum: String,
    pub(super) last_error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReasonStatus {
    pub(super) reason: String,
    pub(super) packets: u64,
}

/// How an agent reaches a guest.
#[derive(Clone, Debug, Deserialize)]
pub struct GuestStatus {
    /// The interface that leads to it.
    pub interface: String,
    /// `redirected`, `bridged`, `routed` or `none`.
    pub way: String,
    /// Why.
    pub note: String,
    /// Redirected frames that its interface did not take; `None` if they are not counted.
    pub lost: Option<u64>,
}

/// How an agent finds one of its BFD sessions.
#[derive(Clone, Debug, Deserialize)]
pub struct BfdStatus {
    pub(super) name: String,
    /// `up`, `init`, `down` or `admin_down`.
    pub state: String,
    /// Why it was down last.
    pub diagnostic: String,
    /// What the router says of its side; `None` while nothing is heard.
    pub remote_state: Option<String>,
    /// Time between its packets, without jitter, milliseconds.
    pub transmit_interval_ms: f64,
    /// The silence that is a failure, milliseconds; `None` while nothing is heard.
    pub detection_time_ms: Option<f64>,
    /// Its number here: another one is another session.
    pub discriminator: u32,
    /// How often it came Up.
    pub ups: u64,
    /// Echo packets that have come back.
    pub echoes_in: u64,
    /// Echo packets sent.
    pub echoes_out: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventStatus {
    pub(super) kind: String,
}

/// How an agent finds a peer over one of the ways to it.
#[derive(Clone, Debug, Deserialize)]
pub struct Way {
    /// `up`, `down`, `lost` or `unknown`.
    pub state: String,
    /// Times from probe to answer, if there was an answer.
    pub round_trip: Option<RoundTrip>,
    /// The longest silence after which the peer was still there, milliseconds.
    pub longest_silence_ms: f64,
    /// What is strange about it.
    #[serde(default)]
    pub note: Option<String>,
}

/// Times from probe to answer.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct RoundTrip {
    /// The mean, microseconds.
    pub mean_us: f64,
    /// The longest, microseconds.
    pub longest_us: f64,
}

impl Status {
    pub(super) fn read(printed: &str) -> Result<Self> {
        serde_json::from_str(printed)
            .with_context(|| format!("reading the agent's status: {printed}"))
    }
}
