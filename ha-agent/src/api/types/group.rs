//! What the status says of groups.

use std::net::IpAddr;

use ha_common::abi::GROUP_VIRTUAL_MAC;
use serde::{Deserialize, Serialize};

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Index into the `ha_group` map.
    pub id: u32,
    /// What the election decided: `active`, `claiming` or `backup`.
    pub role: String,
    /// Why the kernel does not act on that role, or `None` if it does: `no_lease`, `lease_lapsed`,
    /// `other_lease` or `demoted`.
    pub fenced: Option<String>,
    /// The Active peer, if it is known.
    pub active: Option<IpAddr>,
    /// Grows with each change of owner.
    pub epoch: u32,
    /// `vrrp` or `manual`; empty if only the kernel's part was looked at.
    pub election: String,
    /// Version of VRRP.
    pub version: Option<u8>,
    /// Who is advertised to, and whose advertisements count; empty for all on the network.
    pub peers: Vec<IpAddr>,
    /// Virtual router id.
    pub vrid: Option<u8>,
    /// The priority now in force.
    pub priority: Option<u8>,
    /// The configured priority, which checks and promotions move.
    pub configured_priority: Option<u8>,
    /// Whether it is Active only until the heir that it has asked claims the group.
    #[serde(default)]
    pub hands_over: bool,
    /// Whether the checks let the group be Active here.
    pub eligible: bool,
    /// Where it is served.
    pub interface: String,
    /// Why it is served there and not on the first of its interfaces, if it is so.
    #[serde(default)]
    pub stands_in: Option<String>,
    /// The interfaces on which it may be served, in order, if there are several.
    #[serde(default)]
    pub ways: Vec<LocalWay>,
    /// MAC that answers for IPv4.
    pub mac4: String,
    /// MAC that answers for IPv6.
    pub mac6: String,
    /// Whose these are: `virtual` (the group's), or `interface`.
    #[serde(default)]
    pub mac: String,
    /// Why the virtual one may not get through, or why the interface's answers in its place; `None` if it is as
    /// configured and nothing speaks against it.
    #[serde(default)]
    pub mac_note: Option<String>,
    /// How many virtual IPs it has.
    pub vips: usize,
    /// Why it has its role, as a sentence.
    pub cause: Option<String>,
    /// Since when, seconds since 1970.
    pub since: Option<f64>,
    /// Frames for its virtual IPs by verdict.
    pub traffic: Vec<Traffic>,
    /// Who has used this node for it while another one was Active; the last one first.
    #[serde(default)]
    pub stale_senders: Vec<StaleSender>,
}

/// An interface on which a group may be served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalWay {
    /// Its name.
    pub interface: String,
    /// Whether it is there and has a link.
    pub link: bool,
    /// Whether the ping targets `answer` over it, are `silent` or are `unknown`; `None` if there are none.
    pub targets: Option<String>,
}

/// A sender whose frames came to a node that was not Active, and were sent on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// Frames of a group that ended alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// `passed`, `answered`, `delivered`, `forwarded` or `dropped`.
    pub verdict: String,
    /// Frames.
    pub packets: u64,
    /// Octets.
    pub bytes: u64,
}

/// Whose MACs a group answers with that has these `GROUP_*` bits.
#[must_use]
pub const fn whose_mac(flags: u16) -> &'static str {
    if flags & GROUP_VIRTUAL_MAC != 0 {
        "virtual"
    } else {
        "interface"
    }
}
