//! The configuration: what the operator decides.
//!
//! * [`Config`] and its parts: checked, with all defaults filled in;
//! * [`Invalid`]: every fault of a file with its place and its mend;
//! * [`range`]: virtual IPs as they are written, also on the command line.

mod check;
pub mod difference;
mod error;
mod file;
mod guest;
pub mod range;
mod source;
#[cfg(test)]
mod tests;
pub mod track;
mod value;

use std::{net::IpAddr, num::NonZeroU8, path::Path, path::PathBuf, time::Duration};

use ha_common::abi::Vlan;
use ha_core::{
    announce, bfd, sbfd,
    vrrp::{Centiseconds, ChecksumChoice, Peers, Version},
};

pub use self::{
    check::longest_lease,
    error::{Invalid, Problem},
    guest::{Delivery, Guest},
    source::{Loaded, Source, Sum},
};

/// Where the configuration is unless the command line says otherwise.
pub const DEFAULT_PATH: &str = "/etc/ha-agent/ha-agent.toml";
/// Where the control socket is unless the configuration says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/ha-agent/control.sock";
/// Where the BPF objects are pinned unless the configuration says otherwise; the schema number comes
/// below it.
pub const DEFAULT_PIN_DIR: &str = "/sys/fs/bpf/ha";

/// A whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// This host.
    pub node: Node,
    /// The control socket.
    pub control: Control,
    /// What is logged.
    pub log: Log,
    /// How take-overs are announced.
    pub announce: announce::Config,
    /// The interfaces that the data path is attached to.
    pub interfaces: Vec<Interface>,
    /// The other nodes whose liveness is watched.
    pub peers: Vec<Peer>,
    /// Who must be reachable before another node is presumed dead.
    pub witness: Option<Witness>,
    /// Sessions with routers.
    pub bfd: Vec<Bfd>,
    /// What is looked at to decide whether this node may serve.
    pub checks: Vec<track::Check>,
    /// The groups of virtual IPs.
    pub groups: Vec<Group>,
    /// Groups that move together.
    pub syncs: Vec<track::Sync>,
}

/// `[node]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What this host is called in logs and in the status.
    pub name: String,
    /// Length of the lease: how long the kernel serves without a sign of life from the agent.
    pub lease: Duration,
    /// What becomes of the groups when the agent dies.
    pub on_exit: OnExit,
    /// Whom programs on this host reach at a virtual IP that another node has.
    pub local_clients: LocalClients,
    /// Directory of the pins on a BPF file system, without the schema number.
    pub pin_dir: PathBuf,
}

/// What the kernel does with the groups of an agent that has died without letting go of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExit {
    /// Serves them until the lease ends, as a new agent may be there before.
    #[default]
    Hold,
    /// Ends the lease at once, so that peers take over without waiting for it.
    Release,
}

/// Whom programs on this host reach at a virtual IP that another node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalClients {
    /// That node.
    #[default]
    Active,
    /// This host, as the address is local here.
    Own,
}

/// `[control]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Path of the socket.
    pub socket: PathBuf,
    /// Name of the group whose members may give orders, beside root.
    pub group: Option<String>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter`, as `info` or `ha_agent::engine=debug`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[[interface]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Where in its way the data path sits.
    pub mode: Mode,
    /// Whether the NIC may take VLAN tags out of the frames.
    pub vlan_offload: VlanOffload,
}

/// What is done about a NIC that takes off the VLAN tags of its groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VlanOffload {
    /// It is left alone, and the agent does not start.
    #[default]
    Keep,
    /// It is told to leave them.
    Off,
}

/// How the data path is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// In the driver.
    #[default]
    Native,
    /// In the stack, for drivers without XDP: slower, and only when asked for.
    Generic,
}

impl Mode {
    /// The word in the configuration and in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }
}

/// `[[peer]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its `node.name`.
    pub name: String,
    /// The ways to it. It is lost when all are.
    pub paths: Vec<PeerPath>,
    /// How it is probed.
    pub probing: sbfd::Config,
}

/// A way to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerPath {
    /// Name of the interface.
    pub interface: String,
    /// The peer's address there: the one from which it advertises.
    pub address: IpAddr,
}

/// `[witness]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A host that answers pings.
    Ping {
        /// Its address.
        address: IpAddr,
        /// Name of the interface over which it is asked.
        interface: String,
    },
    /// A third agent.
    Agent {
        /// Its place among the peers.
        peer: usize,
    },
}

/// `[[bfd]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bfd {
    /// Its name.
    pub name: String,
    /// Name of the interface.
    pub interface: String,
    /// The router's address there.
    pub address: IpAddr,
    /// How it is held.
    pub session: bfd::Config,
}

/// `[[group]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, at most as long as `ha_group` holds.
    pub name: String,
    /// Name of the interface on which it is served.
    pub interface: String,
    /// Tags of the network on which it is served.
    pub vlan: Vlan,
    /// Its virtual IPs, in the order of the file; ranges are expanded.
    pub vips: Vec<IpAddr>,
    /// Whose they are, if not this host's own.
    pub delivery: Delivery,
    /// Which MAC answers.
    pub mac: AnsweringMac,
    /// Which one answers where virtual MACs are not admitted.
    pub mac_fallback: MacFallback,
    /// What becomes of stale traffic.
    pub stale: Stale,
    /// Whether the hosts behind the addresses are routers.
    pub router: bool,
    /// Checks that move its priority or forbid it to be Active.
    pub track: Vec<track::Track>,
    /// Whether it may be Active only while its interface is up.
    pub track_interface: bool,
    /// Other interfaces of this node on which it may be served.
    pub local: Option<Local>,
    /// Who decides which node is Active.
    pub election: Election,
}

/// `[group.local]`: where a group is served when its interface is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The interfaces after the first one, in order.
    pub fallback: Vec<String>,
    /// How long an interface that is before the present one must have been well before the group goes back to it;
    /// `None` if it stays where it is.
    pub returns_after: Option<Duration>,
    /// Who has to answer over an interface that is well; `None` if the link alone decides.
    pub ping: Option<Ping>,
}

/// Who is pinged over each of a group's interfaces, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// One of them has to answer.
    pub targets: Vec<IpAddr>,
    /// Time between two rounds.
    pub interval: Duration,
    /// So many rounds without an answer are a silence.
    pub fall: u16,
}

impl Group {
    /// The interfaces on which it may be served, in order.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        let others = self.local.iter().flat_map(|local| &local.fallback);
        std::iter::once(&self.interface)
            .chain(others)
            .map(String::as_str)
    }
}

/// Which MAC answers for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweringMac {
    /// The virtual MACs of this virtual router id (RFC 9568 section 7.3).
    Virtual(NonZeroU8),
    /// The interface's own.
    Interface,
}

/// Which MAC answers for a group whose virtual MACs do not get through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MacFallback {
    /// None: the group does not begin, and the operator is told why.
    #[default]
    None,
    /// The interface's own.
    Interface,
}

/// What a node that is not Active does with frames that still reach it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stale {
    /// Sends them on to the Active node.
    #[default]
    Forward,
    /// Drops them, as RFC 9568 section 6.4.2 has it.
    Drop,
}

/// `[group.election]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Election {
    /// An outside manager decides, through the control socket.
    Manual,
    /// VRRP.
    Vrrp(Vrrp),
}

/// The keys of an election by VRRP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrrp {
    /// Version of the protocol.
    pub version: Version,
    /// Virtual router id.
    pub vrid: NonZeroU8,
    /// The other nodes.
    pub peers: Peers,
    /// Priority; 255 is the owner of the addresses.
    pub priority: NonZeroU8,
    /// How often the Active node advertises.
    pub advert_interval: Centiseconds,
    /// Whether to take over from an Active node of lower priority.
    pub preempt: bool,
    /// How long a node of lower priority stays Active before it is preempted.
    pub preempt_delay: Duration,
    /// How long after its start a node only listens.
    pub startup_delay: Duration,
    /// What the checksum of IPv4 advertisements covers; both kinds are accepted.
    pub checksum: ChecksumChoice,
    /// How long an owner that hands over may finish what it has begun.
    pub settle: Duration,
    /// How long to wait for a live owner's acknowledgement.
    pub yield_grace: Duration,
    /// How long to listen for rivals before taking over from a silent owner.
    pub contention: Duration,
}

impl Config {
    /// How many of the peers may become Active instead of this node: all but one that is only a witness.
    #[must_use]
    pub fn rivals(&self) -> usize {
        let is_rival = |peer: &usize| !self.is_witness(*peer);
        (0..self.peers.len()).filter(is_rival).count()
    }

    /// Whether the peer at this place is only a witness.
    #[must_use]
    pub fn is_witness(&self, place: usize) -> bool {
        self.witness == Some(Witness::Agent { peer: place })
    }

    /// Checks the text of a file; `path` is for the messages.
    ///
    /// # Errors
    /// [`Invalid`] with every fault that could be found.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Invalid> {
        let mut report = error::Report::new(text);
        let config = match toml::from_str(text) {
            Ok(file) => check::config(&file, &mut report),
            Err(error) => {
                report.add_syntax(&error);
                None
            }
        };
        report.finish(path, config)
    }
}
