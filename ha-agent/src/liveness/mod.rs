//! Whether the peers live: probes from a thread of its own, answers stamped by the data path.
//!
//! ```text
//!   thread ── probe ──► peer's data path ── answer ──► own data path ── stamp ──► ha_live
//!     ▲                                                                             │
//!     └──────────────── compares stamps (ha_core::sbfd), tells the engine ◄─────────┘
//! ```
//!
//! No process of the peer is in the way, and no lateness of this one is taken for the peer's silence.

mod discriminator;
mod packet;
mod prober;
mod report;
mod socket;
mod sys;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use anyhow::{Context, Result};
use ha_common::abi::{LivePeerKey, REFLECT_NODE, Reflector};
use ha_core::{sbfd::Change, time::Time};
use tokio::sync::mpsc;

pub use self::{
    discriminator::{Discriminator, Router},
    packet::About,
    report::Report,
};
use self::{
    packet::{Request, View},
    prober::Prober,
    report::Reports,
    socket::Socket,
};
use crate::{
    config::{Config, Peer},
    dataplane::{self, Stamps},
    net::Addresses,
};

/// The least time between requests that a node asks for, microseconds.
const MIN_RX_US: u32 = 1_000;

/// A way to a peer.
#[derive(Clone, Debug)]
pub struct Way {
    /// The peer's place in the configuration.
    pub peer: usize,
    /// The peer's address there.
    pub address: IpAddr,
    /// Index of the interface.
    pub ifindex: u32,
    /// Name of the interface.
    pub interface: String,
    /// Index and name of what has the host's addresses there: the bridge, if the interface is a port of one.
    pub home: (u32, String),
    /// This node's address there.
    pub own: IpAddr,
}

/// What has changed of a way.
#[derive(Clone, Copy, Debug)]
pub struct News {
    /// Which.
    pub way: usize,
    /// What.
    pub change: Change,
}

/// An answer to [`Watch::ask`] or [`Watch::ask_node`].
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Over which way.
    pub way: usize,
    /// What it is about.
    pub about: About,
    /// Whether the peer has the group, or claims it; of the node, whether its lease is valid.
    pub is_up: bool,
}

/// What the peers tell.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// A way has changed.
    News(News),
    /// A question was answered.
    Answer(Answer),
}

/// All peers, watched.
#[derive(Debug)]
pub struct Watch {
    ways: Vec<Way>,
    peers: Vec<Peer>,
    sockets: Vec<Arc<Socket>>,
    reports: Reports,
    news: mpsc::UnboundedReceiver<News>,
    answers: mpsc::UnboundedReceiver<Answer>,
    /// Ends with this.
    _prober: Option<Prober>,
    _readers: tokio::task::JoinSet<()>,
}

/// The ways of the configuration, with the addresses from which they are probed. `interface` tells the index of an
/// interface, what has the host's addresses there, and these.
///
/// # Errors
/// If an interface has no address of the peer's family.
pub fn ways(
    config: &Config,
    interface: impl Fn(&str) -> Option<(u32, (u32, String), Addresses)>,
) -> Result<Vec<Way>> {
    let mut ways = Vec::new();
    for (peer, written) in config.peers.iter().enumerate() {
        for path in &written.paths {
            let (ifindex, home, own) = interface(&path.interface)
                .with_context(|| format!("there is no interface {}", path.interface))?;
            let own = match path.address {
                IpAddr::V4(_) => own.v4.map(IpAddr::V4),
                IpAddr::V6(_) => own.link_local.map(IpAddr::V6),
            };
            let own = own.with_context(|| {
                format!(
                    "{} has no address from which {} could be probed: `ip address add` one",
                    path.interface, path.address
                )
            })?;
            ways.push(Way {
                peer,
                address: path.address,
                ifindex,
                interface: path.interface.clone(),
                home,
                own,
            });
        }
    }
    Ok(ways)
}

/// What the data path has to know: for whom it answers, and whom it stamps. `groups` are the slots in
/// `ha_group` of those that have a virtual router, and its identity.
#[must_use]
pub fn desired(
    config: &Config,
    ways: &[Way],
    groups: impl Iterator<Item = (u32, Router)>,
) -> dataplane::Liveness {
    let own = Discriminator::of_node(&config.node.name);
    let reflector = |group| Reflector {
        group,
        min_rx_us: MIN_RX_US,
    };
    let mut reflectors = BTreeMap::from([(own.get(), reflector(REFLECT_NODE))]);
    for (slot, router) in groups {
        reflectors.insert(own.of_group(router).get(), reflector(slot));
    }
    let paths = ways.iter().enumerate().map(|(slot, way)| {
        let addr = match way.address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        let ifindex = way.ifindex;
        let slot = slot as u32;
        (LivePeerKey { addr, ifindex }, (slot, packet::session(slot)))
    });
    dataplane::Liveness {
        // Without peers there is nobody to answer.
        reflectors: if ways.is_empty() {
            BTreeMap::new()
        } else {
            reflectors
        },
        paths: paths.collect(),
    }
}

impl Watch {
    /// Begins to probe.
    ///
    /// # Errors
    /// If a socket or the thread cannot be had.
    pub fn start(config: &Config, ways: Vec<Way>, stamps: Stamps) -> Result<Self> {
        let sockets = ways
            .iter()
            .map(|way| Socket::open(way).map(Arc::new))
            .collect::<Result<Vec<_>>>()?;
        let (answer, answers) = mpsc::unbounded_channel();
        let mut readers = tokio::task::JoinSet::new();
        for (way, socket) in sockets.iter().enumerate() {
            let (socket, answer) = (Arc::clone(socket), answer.clone());
            readers.spawn(async move { socket.read(way, &answer).await });
        }
        let (sender, news) = mpsc::unbounded_channel();
        let reports = Reports::new(ways.len());
        let prober = if ways.is_empty() {
            None
        } else {
            let reports = reports.clone();
            Some(Prober::start(
                config, &ways, &sockets, stamps, sender, reports,
            )?)
        };
        Ok(Self {
            ways,
            peers: config.peers.clone(),
            sockets,
            reports,
            news,
            answers,
            _prober: prober,
            _readers: readers,
        })
    }

    /// Waits for what the peers tell next.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            Some(news) = self.news.recv() => Told::News(news),
            Some(answer) = self.answers.recv() => Told::Answer(answer),
            // Both ends have gone: nobody is watched.
            else => std::future::pending().await,
        }
    }

    /// The ways.
    #[must_use]
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// What is known of each way, with the peer behind it.
    pub fn reports(&self) -> impl Iterator<Item = (&Way, &Peer, Report)> {
        let ways = self.ways.iter().zip(self.reports.read());
        ways.map(|(way, report)| (way, &self.peers[way.peer], report))
    }

    /// The name of the peer behind a way.
    #[must_use]
    pub fn name(&self, way: usize) -> &str {
        &self.peers[self.ways[way].peer].name
    }

    /// Asks whoever advertises from `peer` whether it has the group at this place, over all ways to it.
    pub fn ask(&self, peer: IpAddr, group: usize, router: Router) {
        self.send(self.place(peer), |node, way| {
            Request::question(way, About::Group(group), node.of_group(router), View::Heard)
        });
    }

    /// Tells whoever advertises from `peer` that it is not heard.
    pub fn tell_unheard(&self, peer: IpAddr) {
        self.send(self.place(peer), |node, way| {
            Request::question(way, About::Node(0), node, View::Replaced)
        });
    }

    /// Asks the peer at this place of the configuration whether it can be reached, over all ways to it. Its
    /// answer gives back `number`.
    pub fn ask_node(&self, peer: usize, number: u16) {
        self.send(Some(peer), |node, way| {
            Request::question(way, About::Node(number), node, View::Heard)
        });
    }

    fn place(&self, peer: IpAddr) -> Option<usize> {
        let meant = self.ways.iter().find(|way| way.address == peer);
        meant.map(|way| way.peer)
    }

    fn send(&self, peer: Option<usize>, request: impl Fn(Discriminator, usize) -> Request) {
        let Some(peer) = peer else {
            return;
        };
        let node = Discriminator::of_node(&self.peers[peer].name);
        for (index, way) in self.ways.iter().enumerate() {
            if way.peer == peer {
                // What does not leave is asked again at the next interval.
                let _ = self.sockets[index].send(&request(node, index));
            }
        }
    }
}

/// The data path's clock.
fn now() -> Time {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or_else(|_| Time::default(), |now| Time::from_origin(now.into()))
}
