//! What liveness finds out about peers, handed to the elections.

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::Result;
use ha_core::{election::Input, sbfd::RoundTrip, vrrp::Liveness};

use super::{
    Engine,
    group::Group,
    port::{Ground, Port},
};
use crate::{
    api::types,
    config::Config,
    liveness::{self, About, Answer, News, Prepared, Router, Told, Watch},
};

/// The peers, and what is known of each way to them.
#[derive(Debug)]
pub(super) struct Peers {
    watch: Watch,
    ways: Vec<Option<Liveness>>,
    /// Groups that are gone, by their slots. Who still asks shall hear that they are not Active here.
    departed: Vec<(u32, Router)>,
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

    /// What elections are told, by the addresses from which the peers advertise. One that is only a witness can be
    /// Active for nothing.
    pub(super) fn rivals(&self, config: &Config) -> BTreeMap<IpAddr, Liveness> {
        let known = self.known();
        let rivals = known.filter(|(way, _)| !config.is_witness(way.peer));
        rivals
            .filter_map(|(way, liveness)| Some((way.address, liveness?)))
            .collect()
    }

    /// What the probing thread has found out of each way.
    pub(super) fn reports(
        &self,
    ) -> impl Iterator<Item = (&liveness::Way, &crate::config::Peer, liveness::Report)> {
        self.watch.reports()
    }

    /// Asks the peer at this place whether it can be reached.
    pub(super) fn ask_node(&self, peer: usize, number: u16) {
        self.watch.ask_node(peer, number);
    }
}

impl Engine {
    /// Begins to watch the peers, and to answer them. The groups must have their slots.
    pub(super) fn watch_peers(&mut self) -> Result<()> {
        let grounds: Vec<_> = self.ports.iter().map(Port::ground).collect();
        let prepared = prepare_watch(&Watch::new(), &self.config, &grounds)?;
        self.liveness = Some(Peers {
            watch: Watch::new(),
            ways: Vec::new(),
            departed: Vec::new(),
        });
        self.set_watch(prepared)
    }

    /// What has to be there before other peers are watched.
    pub(super) fn prepare_watch(&self, config: &Config, grounds: &[Ground]) -> Result<Prepared> {
        let watch = self.liveness.as_ref().map(|peers| &peers.watch);
        match watch {
            Some(watch) => prepare_watch(watch, config, grounds),
            None => prepare_watch(&Watch::new(), config, grounds),
        }
    }

    /// Watches what was prepared. What is known of ways that go on stays known.
    pub(super) fn set_watch(&mut self, prepared: Prepared) -> Result<()> {
        let routers = self.groups.iter();
        let routers = routers.filter_map(|g| Some((g.slot, router(g)?)));
        let is_free = |slot: u32| !self.groups.iter().any(|group| group.slot == slot);
        let departed = self.liveness.iter_mut().flat_map(|peers| {
            peers.departed.retain(|(slot, _)| is_free(*slot));
            peers.departed.clone()
        });
        // A group of the same number that there is comes later, and counts.
        let routers = departed.collect::<Vec<_>>().into_iter().chain(routers);
        let desired = liveness::desired(&self.config, &prepared.answered(), routers);
        let fresh = prepared.fresh();
        let stamps = self.dataplane.watch(&desired, &fresh)?;
        let Some(peers) = &mut self.liveness else {
            return Ok(());
        };
        let ways = prepared.ways().iter().map(|way| {
            let before = peers.watch.way_in(way.slot);
            let before = before.filter(|_| !fresh.contains(&way.slot));
            before.and_then(|place| peers.ways[place])
        });
        peers.ways = ways.collect();
        peers.watch.set(&self.config, prepared, stamps)
    }

    /// A group is about to be removed.
    pub(super) fn note_departure(&mut self, index: usize) {
        let group = &self.groups[index];
        if let (Some(peers), Some(router)) = (&mut self.liveness, router(group)) {
            peers.departed.push((group.slot, router));
        }
    }

    /// Has the maps in which the data path is to go on answer the peers, and know them.
    pub(super) fn answer_peers(&self) -> Result<()> {
        let grounds: Vec<_> = self.ports.iter().map(Port::ground).collect();
        let prepared = prepare_watch(&Watch::new(), &self.config, &grounds)?;
        let routers = self.groups.iter();
        let routers = routers.filter_map(|g| Some((g.slot, router(g)?)));
        let desired = liveness::desired(&self.config, &prepared.answered(), routers);
        self.dataplane.watch(&desired, &prepared.fresh()).map(drop)
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
        // It may have been given up meanwhile.
        let Some(way) = peers.watch.way_in(news.slot) else {
            return;
        };
        let before = peers.peer(way);
        peers.ways[way] = Some(news.change.liveness);
        let after = peers.peer(way);
        let name = peers.watch.name(way).to_owned();
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
        let addresses = peers.addresses(way);
        // It can be Active for nothing.
        let is_witness = self.config.is_witness(peers.watch.ways()[way].peer);
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
            slot,
            about,
            is_up: is_active,
        } = answer;
        let Some(peers) = &self.liveness else {
            return;
        };
        let Some(way) = peers.watch.way_in(slot) else {
            return;
        };
        let peer = peers.watch.ways()[way].peer;
        let has_slot = |slot| self.groups.iter().position(|group| group.slot == slot);
        let group = match about {
            About::Group(slot) => match has_slot(slot) {
                Some(group) => group,
                None => return,
            },
            // That the witness answers is what counts, whatever its lease.
            About::Node(number) if self.config.is_witness(peer) => {
                return self.witness_answered(number);
            }
            About::Node(_) => return,
        };
        let addresses = peers.addresses(way);
        for peer in addresses {
            self.input(group, Input::Answer { peer, is_active });
        }
    }

    /// Asks a peer whether it has a group.
    pub(super) fn ask(&self, index: usize, peer: IpAddr) {
        if let (Some(peers), Some(router)) = (&self.liveness, router(&self.groups[index])) {
            peers.watch.ask(peer, self.groups[index].slot, router);
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
        peers
            .reports()
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
                note: self.mute.note((way.ifindex, way.address), peer),
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

fn prepare_watch(watch: &Watch, config: &Config, grounds: &[Ground]) -> Result<Prepared> {
    let find = |name: &str| {
        let port = grounds.iter().find(|ground| ground.link.name == name)?;
        let home = (port.home.index, port.home.name.clone());
        Some((port.link.index, home, port.addresses))
    };
    watch.prepare(config, liveness::ways(config, find)?)
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
