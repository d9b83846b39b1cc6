//! Whether the peers live: probes from a thread of its own, answers stamped by the data path.
//!
//! ```text
//!   thread ── probe ──► peer's data path ── answer ──► own data path ── stamp ──► ha_live
//!     ▲                                                                             │
//!     └──────────────── compares stamps (ha_core::sbfd), tells the engine ◄─────────┘
//! ```
//!
//! No process of the peer is in the way, and no lateness of this one is taken for the peer's silence.

mod change;
mod discriminator;
mod packet;
mod prober;
mod report;
mod slots;
mod socket;
mod sys;
mod way;

use std::{net::IpAddr, sync::Arc};

use ha_core::{sbfd::Change, time::Time};
use tokio::{sync::mpsc, task::AbortHandle};

pub use self::{
    change::Prepared,
    discriminator::{Discriminator, Router},
    packet::About,
    report::Report,
    way::{Way, desired, ways},
};
use self::{
    packet::{Request, View},
    prober::Prober,
    report::Reports,
    socket::Socket,
};
use crate::config::Peer;

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

/// The data path's clock.
fn now() -> Time {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or_else(|_| Time::default(), |now| Time::from_origin(now.into()))
}
