//! What liveness finds out about peers, handed to the elections.

use std::net::IpAddr;

use anyhow::Result;
use ha_core::{election::Input, sbfd::RoundTrip, vrrp::Liveness};

use super::{Engine, group::Group};
use crate::{
    api::types,
    liveness::{self, About, Answer, News, Router, Told, Watch},
};

/// The peers, and what is known of each way to them.
#[derive(Debug)]
pub(super) struct Peers {
    watch: Watch,
    ways: Vec<Option<Liveness>>,
}

impl Peers {
    /// What is known of the peer behind a way: it lives while one of its ways does, and is lost when all
    /// are.
    fn peer(&self, way: usize) -> Option<Liveness> {
        let peer = self.watch.ways()[way].peer;
        let ways = self.watch.ways().iter().zip(&self.ways);
        let known: Vec<_> = ways
            .filter(|(way, _)| way.peer == peer)
            .map(|(_, l)| *l)
            .collect();
        let any = |liveness| known.contains(&Some(liveness));
        if any(Liveness::Up) {
            Some(Liveness::Up)
        } else if any(Liveness::Down) {
            Some(Liveness::Down)
        } else if known.contains(&None) {
            None
        } else if any(Liveness::Lost) {
            // Over that way it may hear that it is replaced.
            Some(Liveness::Lost)
        } else {
            Some(Liveness::Unknown)
        }
    }

    /// The addresses from which the peer behind a way advertises.
    fn addresses(&self, way: usize) -> Vec<IpAddr> {
        let peer = self.watch.ways()[way].peer;
        let ways = self.watch.ways().iter();
        ways.filter(|way| way.peer == peer)
            .map(|way| way.address)
            .collect()
    }
}

impl Peers {
    /// The ways, with the place of the peer behind each, and what is known of that peer.
    pub(super) fn known(&self) -> impl Iterator<Item = (&liveness::Way, Option<Liveness>)> {
        let ways = self.watch.ways().iter().enumerate();
        ways.map(|(place, way)| (way, self.peer(place)))
    }

    /// Asks the peer at this place whether it can be reached.
    pub(super) fn ask_node(&self, peer: usize, number: u16) {
        self.watch.ask_node(peer, number);
    }
}

impl Engine {
    /// Begins to watch the peers, and to answer them. The groups must have their slots.
    pub(super) fn watch_peers(&mut self) -> Result<()> {
        let find = |name: &str| {
            let port = self.ports.iter().find(|port| port.link.name == name)?;
            let home = (port.home.index, port.home.name.clone());
            Some((port.link.index, home, port.addresses))
        };
        let ways = liveness::ways(&self.config, find)?;
        let routers = self
            .groups
            .iter()
            .filter_map(|g| Some((g.slot, router(g)?)));
        let desired = liveness::desired(&self.config, &ways, routers);
        let stamps = self.dataplane.watch(&desired)?;
        self.liveness = Some(Peers {
            ways: vec![None; ways.len()],
            watch: Watch::start(&self.config, ways, stamps)?,
        });
        Ok(())
    }

    /// The peers have something to tell.
    pub(super) fn told(&mut self, told: Told) {
        match told {
            Told::News(news) => self.liveness_changed(news),
            Told::Answer(answer) => self.answered(answer),
        }
    }

    /// A way to a peer has changed.
    fn liveness_changed(&mut self, news: News) {
        let Some(peers) = &mut self.liveness else {
            return;
        };
        let before = peers.peer(news.way);
        peers.ways[news.way] = Some(news.change.liveness);
        let after = peers.peer(news.way);
        let name = peers.watch.name(news.way).to_owned();
        let text = match news.change.liveness {
            Liveness::Up => format!("{name} answers"),
            Liveness::Lost => format!("{name} has been silent for {:.1?}", news.change.silence),
            Liveness::Down => format!("{name} says that its lease has lapsed"),
            Liveness::Unknown => format!(
                "{name} has been silent for {:.1?}, and did not answer before: its advertisements decide",
                news.change.silence
            ),
        };
        tracing::info!(peer = %name, "{text}");
        let addresses = peers.addresses(news.way);
        // It can be Active for nothing.
        let is_witness = self.config.is_witness(peers.watch.ways()[news.way].peer);
        let after = after.filter(|_| !is_witness);
        if let Some(state) = after.filter(|_| before != after) {
            for index in 0..self.groups.len() {
                for peer in &addresses {
                    let peer = *peer;
                    self.input(index, Input::Liveness { peer, state });
                }
            }
        }
        self.history.node("liveness", text);
        self.heirs_changed();
    }

    /// A peer has answered a question.
    fn answered(&mut self, answer: Answer) {
        let Answer {
            way,
            about,
            is_up: is_active,
        } = answer;
        let Some(peers) = &self.liveness else {
            return;
        };
        let peer = peers.watch.ways()[way].peer;
        let group = match about {
            About::Group(group) if group < self.groups.len() => group,
            // That the witness answers is what counts, whatever its lease.
            About::Node(number) if self.config.is_witness(peer) => {
                return self.witness_answered(number);
            }
            About::Group(_) | About::Node(_) => return,
        };
        let addresses = peers.addresses(way);
        for peer in addresses {
            self.input(group, Input::Answer { peer, is_active });
        }
    }

    /// Asks a peer whether it has a group.
    pub(super) fn ask(&self, index: usize, peer: IpAddr) {
        if let (Some(peers), Some(router)) = (&self.liveness, router(&self.groups[index])) {
            peers.watch.ask(peer, index, router);
        }
    }

    /// The ways to the peers, for the status.
    pub(super) fn peers_status(&self) -> Vec<types::Peer> {
        let Some(peers) = &self.liveness else {
            return Vec::new();
        };
        let state = |liveness| match liveness {
            Some(Liveness::Up) => "up",
            Some(Liveness::Down) => "down",
            Some(Liveness::Lost | Liveness::Unknown) => "lost",
            None => "unknown",
        };
        let reports = peers.watch.reports();
        reports
            .map(|(way, peer, report)| types::Peer {
                name: peer.name.clone(),
                interface: way.interface.clone(),
                address: way.address,
                state: state(report.liveness).to_owned(),
                hears_us: report.hears_us,
                interval_ms: peer.probing.interval.as_secs_f64() * 1e3,
                multiplier: peer.probing.multiplier,
                round_trip: report.round_trip.map(Into::into),
                longest_silence_ms: report.longest_silence.as_secs_f64() * 1e3,
                replies: report.replies,
                requests: report.requests,
            })
            .collect()
    }

    /// Tells a peer that it is not heard.
    pub(super) fn tell_unheard(&self, peer: IpAddr) {
        if let Some(peers) = &self.liveness {
            peers.watch.tell_unheard(peer);
        }
    }
}

impl From<RoundTrip> for types::RoundTrip {
    fn from(trip: RoundTrip) -> Self {
        let RoundTrip {
            last,
            mean,
            longest,
        } = trip;
        let [last_us, mean_us, longest_us] =
            [last, mean, longest].map(|time| time.as_secs_f64() * 1e6);
        Self {
            last_us,
            mean_us,
            longest_us,
        }
    }
}

fn router(group: &Group) -> Option<Router> {
    let vrid = group.election.vrrp()?.machine.config().vrid.get();
    let vlan = group.vlan;
    Some(Router { vlan, vrid })
}

/// Waits for news of a peer; for ever where none is watched.
pub(super) async fn next(peers: Option<&mut Peers>) -> Told {
    match peers {
        None => std::future::pending().await,
        Some(Peers { watch, .. }) => watch.next().await,
    }
}
