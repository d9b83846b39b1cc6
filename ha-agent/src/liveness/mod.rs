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
mod slots;
mod socket;
mod sys;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use anyhow::{Context, Result};
use ha_common::abi::{LivePeerKey, MAX_LIVE, REFLECT_NODE, Reflector};
use ha_core::{sbfd::Change, time::Time};
use tokio::{sync::mpsc, task::AbortHandle};

pub use self::{
    discriminator::{Discriminator, Router},
    packet::About,
    report::Report,
};
use self::{
    packet::{Request, View},
    prober::{Lane, Prober},
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Its slot in `ha_live`, which stays while the way does.
    pub slot: u32,
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
    /// Which, by its slot.
    pub slot: u32,
    /// What.
    pub change: Change,
}

/// An answer to [`Watch::ask`] or [`Watch::ask_node`].
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Over which way, by its slot.
    pub slot: u32,
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
    /// Ways that have been given up. Who is there may not know yet, and would take silence for a death: it is
    /// answered until the agent ends.
    departed: Vec<Way>,
    peers: Vec<Peer>,
    sockets: Vec<Arc<Socket>>,
    readers: Vec<Reader>,
    reports: Reports,
    news: mpsc::UnboundedReceiver<News>,
    /// For a prober that is still to come.
    teller: mpsc::UnboundedSender<News>,
    answers: mpsc::UnboundedReceiver<Answer>,
    answerer: mpsc::UnboundedSender<Answer>,
    /// `None` while there was never a way.
    prober: Option<Prober>,
}

/// The task that reads a socket. Ends with this.
#[derive(Debug)]
struct Reader(AbortHandle);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Other ways than now, and their sockets. What goes on has the one that it has.
#[derive(Debug)]
pub struct Prepared {
    ways: Vec<Way>,
    departed: Vec<Way>,
    /// By way; `None` for one that goes on.
    sockets: Vec<Option<Arc<Socket>>>,
}

impl Prepared {
    /// The ways.
    #[must_use]
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// All to whom is answered: the ways, and those that have been given up.
    #[must_use]
    pub fn answered(&self) -> Vec<Way> {
        let all = self.ways.iter().chain(&self.departed);
        all.cloned().collect()
    }

    /// The slots of those that are new.
    #[must_use]
    pub fn fresh(&self) -> BTreeSet<u32> {
        let ways = self.ways.iter().zip(&self.sockets);
        let fresh = ways.filter(|(_, socket)| socket.is_some());
        fresh.map(|(way, _)| way.slot).collect()
    }
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
                slot: ways.len() as u32,
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
    let paths = ways.iter().map(|way| {
        let addr = match way.address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        let (ifindex, slot) = (way.ifindex, way.slot);
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
    /// Nobody is watched yet.
    #[must_use]
    pub fn new() -> Self {
        let (answerer, answers) = mpsc::unbounded_channel();
        let (teller, news) = mpsc::unbounded_channel();
        Self {
            ways: Vec::new(),
            departed: Vec::new(),
            peers: Vec::new(),
            sockets: Vec::new(),
            readers: Vec::new(),
            reports: Reports::default(),
            news,
            teller,
            answers,
            answerer,
            prober: None,
        }
    }

    /// Opens what the ways of `config` need that are not probed already, in the same way.
    ///
    /// # Errors
    /// If a socket cannot be had.
    pub fn prepare(&self, config: &Config, mut ways: Vec<Way>) -> Result<Prepared> {
        let kept = self.assign(config, &mut ways);
        let sockets = ways.iter().zip(kept).map(|(way, kept)| match kept {
            true => Ok(None),
            false => Socket::open(way).map(|socket| Some(Arc::new(socket))),
        });
        let sockets = sockets.collect::<Result<_>>()?;
        let place = |way: &Way| (way.address, way.ifindex);
        let is_gone = |old: &&Way| !ways.iter().any(|way| place(way) == place(old));
        let departed = self.ways.iter().chain(&self.departed).filter(is_gone);
        let is_free = |old: &&Way| !ways.iter().any(|way| way.slot == old.slot);
        let room = (MAX_LIVE as usize).saturating_sub(ways.len());
        let departed = departed.filter(is_free).take(room).cloned().collect();
        Ok(Prepared {
            ways,
            departed,
            sockets,
        })
    }

    /// Gives each way its slot; whether it has it already.
    fn assign(&self, config: &Config, ways: &mut [Way]) -> Vec<bool> {
        let identity = |peers: &[Peer], way: &Way| {
            let Peer { name, probing, .. } = &peers[way.peer];
            let (address, own) = (way.address, way.own);
            (name.clone(), *probing, address, own, way.ifindex)
        };
        let old: Vec<_> = self.ways.iter().map(|w| identity(&self.peers, w)).collect();
        let new: Vec<_> = ways.iter().map(|w| identity(&config.peers, w)).collect();
        let taken = self.ways.iter().chain(&self.departed);
        let taken: Vec<_> = taken.map(|way| way.slot).collect();
        let slots = slots::assign(&old, &taken, &new);
        let places = ways.iter_mut().zip(slots);
        places
            .map(|(way, (slot, kept))| {
                way.slot = slot;
                kept
            })
            .collect()
    }

    /// Probes these from now on, and nobody else. What goes on is not interrupted. `stamps` must be of maps that
    /// have the ways.
    ///
    /// # Errors
    /// If the thread cannot be had.
    pub fn set(&mut self, config: &Config, prepared: Prepared, stamps: Stamps) -> Result<()> {
        let Prepared {
            ways,
            departed,
            sockets,
        } = prepared;
        self.departed = departed;
        let mut lanes = Vec::new();
        let mut kept = Vec::new();
        let old = std::mem::take(&mut self.sockets).into_iter();
        let old = old.zip(std::mem::take(&mut self.readers));
        let slots = self.ways.iter().map(|way| way.slot);
        let mut old: BTreeMap<_, _> = slots.zip(old).collect();
        for (way, socket) in ways.iter().zip(sockets) {
            let slot = way.slot;
            let (socket, reader) = match socket {
                Some(socket) => {
                    lanes.push(Lane::begin(&config.peers[way.peer], way, &socket));
                    let reader = read(Arc::clone(&socket), slot, self.answerer.clone());
                    (socket, reader)
                }
                None => {
                    lanes.push(Lane::Kept(slot));
                    let Some(kept) = old.remove(&slot) else {
                        continue;
                    };
                    kept
                }
            };
            kept.push((socket, reader));
        }
        (self.sockets, self.readers) = kept.into_iter().unzip();
        self.ways = ways;
        self.peers.clone_from(&config.peers);
        match &self.prober {
            Some(prober) => prober.set(lanes),
            None if lanes.is_empty() => {}
            None => {
                let (news, reports) = (self.teller.clone(), self.reports.clone());
                self.prober = Some(Prober::start(lanes, stamps, news, reports)?);
            }
        }
        Ok(())
    }

    /// The place of the way in a slot.
    #[must_use]
    pub fn way_in(&self, slot: u32) -> Option<usize> {
        self.ways.iter().position(|way| way.slot == slot)
    }

    /// Waits for what the peers tell next.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            Some(news) = self.news.recv() => Told::News(news),
            Some(answer) = self.answers.recv() => Told::Answer(answer),
            // Never: the other ends are kept beside these.
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
        let reports = self.reports.read();
        self.ways.iter().map(move |way| {
            let report = reports.get(&way.slot).copied();
            (way, &self.peers[way.peer], report.unwrap_or_default())
        })
    }

    /// The name of the peer behind a way.
    #[must_use]
    pub fn name(&self, way: usize) -> &str {
        &self.peers[self.ways[way].peer].name
    }

    /// Asks whoever advertises from `peer` whether it has the group that has this slot here, over all ways to it.
    pub fn ask(&self, peer: IpAddr, group: u32, router: Router) {
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

    fn send(&self, peer: Option<usize>, request: impl Fn(Discriminator, u32) -> Request) {
        let Some(peer) = peer else {
            return;
        };
        let node = Discriminator::of_node(&self.peers[peer].name);
        for (index, way) in self.ways.iter().enumerate() {
            if way.peer == peer {
                // What does not leave is asked again at the next interval.
                let _ = self.sockets[index].send(&request(node, way.slot));
            }
        }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

fn read(socket: Arc<Socket>, slot: u32, answers: mpsc::UnboundedSender<Answer>) -> Reader {
    let task = tokio::spawn(async move { socket.read(slot, &answers).await });
    Reader(task.abort_handle())
}

/// The data path's clock.
fn now() -> Time {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or_else(|_| Time::default(), |now| Time::from_origin(now.into()))
}
