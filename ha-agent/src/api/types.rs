//! What is said over the control socket, in JSON.
//!
//! Fields are only ever added: a client of an older version goes on to work.

use std::{collections::BTreeMap, net::IpAddr};

use ha_common::abi::GROUP_VIRTUAL_MAC;
use serde::{Deserialize, Serialize};

use crate::config::difference::Change;

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

/// Whose MACs a group answers with that has these `GROUP_*` bits.
#[must_use]
pub const fn whose_mac(flags: u16) -> &'static str {
    if flags & GROUP_VIRTUAL_MAC != 0 {
        "virtual"
    } else {
        "interface"
    }
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
