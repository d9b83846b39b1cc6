//! What is said over the control socket, in JSON.
//!
//! Fields are only ever added: a client of an older version goes on to work.

mod bfd;
mod group;
mod peer;
mod request;

use serde::{Deserialize, Serialize};

pub use self::{
    bfd::Bfd,
    group::{Group, LocalWay, StaleSender, Traffic, whose_mac},
    peer::{Peer, RoundTrip, Witness},
    request::{Done, Error, Reload, Reloaded, SetDuty, Switchover, Vips},
};

/// Answer to `GET /v1/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The node's name in its configuration; empty if only the kernel's part was looked at.
    pub node: String,
    /// The agent, or `None` if it does not run and only the kernel's part was looked at.
    pub agent: Option<Agent>,
    /// The configuration in force; `None` if only the kernel's part was looked at.
    #[serde(default)]
    pub configuration: Option<Configuration>,
    /// What the operator lets the node do: `serve`, `drained` (only what nobody else can serve) or `maintenance`
    /// (nothing); empty if only the kernel's part was looked at.
    #[serde(default)]
    pub duty: String,
    /// Whom programs on this host reach at a virtual IP that another node has: `active`, that node; `own`, this host; or
    /// `own: ` and why it is not the other one. Empty if only the kernel's part was looked at.
    #[serde(default)]
    pub local_clients: String,
    /// Version of the map layout, and last part of the pin directory.
    pub schema: u32,
    /// Where maps, programs and links are pinned.
    pub pin_dir: String,
    /// The dead-man's switch.
    pub lease: Lease,
    /// Where the program is attached.
    pub interfaces: Vec<Interface>,
    /// The groups, in the order of the configuration.
    pub groups: Vec<Group>,
    /// The guests that virtual IPs belong to; empty if only the kernel's part was looked at.
    #[serde(default)]
    pub guests: Vec<Guest>,
    /// The ways to the peers; empty if only the kernel's part was looked at.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// The witness, if there is one; `None` if only the kernel's part was looked at.
    #[serde(default)]
    pub witness: Option<Witness>,
    /// The BFD sessions with routers; empty if only the kernel's part was looked at.
    #[serde(default)]
    pub bfd: Vec<Bfd>,
    /// The checks; empty if only the kernel's part was looked at.
    pub checks: Vec<Check>,
    /// Frames for virtual IPs by what became of them; reasons that never occurred are left out.
    pub reasons: Vec<Reason>,
    /// The newest events and changes of role, oldest first.
    pub events: Vec<Event>,
}

/// The configuration that is in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// The file.
    pub path: String,
    /// What `cksum` printed for the file when it was read.
    pub checksum: String,
    /// Since when it is in force, seconds since 1970.
    pub since: f64,
    /// When the last reload was tried, seconds since 1970.
    pub last_reload: Option<f64>,
    /// Why the last reload changed nothing, or not everything; `None` if it succeeded.
    pub last_error: Option<String>,
}

/// The running agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// How long it has been running, seconds.
    pub uptime_seconds: u64,
}

/// The lease, as the kernel has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// `none`, `valid` or `lapsed`.
    pub state: String,
    /// Grants so far; role words of older grants are void.
    pub grants: u32,
    /// Length at the last renewal, milliseconds.
    pub length_ms: f64,
    /// Renewals so far.
    pub renewals: u64,
    /// How often it lapsed.
    pub lapses: u64,
}

/// An interface with the program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// `native` or `generic`.
    pub mode: String,
    /// Its own MAC.
    pub mac: String,
    /// Whether it is up and has a carrier.
    pub up: bool,
    /// Whether there is no such interface at present.
    #[serde(default)]
    pub gone: bool,
}

/// A guest of this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    /// The interface that leads to it.
    pub interface: String,
    /// Its MAC.
    pub mac: String,
    /// The interface on which its virtual IPs are served.
    pub from: String,
    /// How its traffic gets from there to it: `redirected`, `bridged`, `routed`, or `none` at present.
    pub way: String,
    /// What is worth knowing about the way; may be empty.
    pub note: String,
    /// Redirected frames that its interface did not take since the agent has been running; `None` if that is not
    /// counted.
    pub lost: Option<u64>,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its name; that of an interface for the check that each interface has.
    pub name: String,
    /// `interface`, `script`, `process`, `tcp`, `http`, `file`, `route` or `bfd`.
    pub kind: String,
    /// `up`, `down`, `unknown` or a number.
    pub state: String,
    /// Since when, seconds since 1970.
    pub since: f64,
    /// What was seen last.
    pub note: String,
    /// The groups that it concerns.
    pub groups: Vec<String>,
}

/// A counter of the data path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Its label.
    pub reason: String,
    /// What becomes of such frames.
    pub verdict: String,
    /// Frames.
    pub packets: u64,
    /// Octets.
    pub bytes: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, seconds since 1970.
    pub time: f64,
    /// The group concerned, if one is.
    pub group: Option<String>,
    /// A stable word for it, as `active_silent` or `lease_lapsed`.
    pub kind: String,
    /// What happened, as a sentence.
    pub text: String,
}
