//! From the ways that are probed to others: what goes on is not interrupted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Result;
use ha_common::abi::MAX_LIVE;
use tokio::sync::mpsc;

use super::{
    Answer, Reader, Watch, Way,
    prober::{Lane, Prober},
    slots,
    socket::Socket,
};
use crate::{
    config::{Config, Peer},
    dataplane::Stamps,
};

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

impl Watch {
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
}

fn read(socket: Arc<Socket>, slot: u32, answers: mpsc::UnboundedSender<Answer>) -> Reader {
    let task = tokio::spawn(async move { socket.read(slot, &answers).await });
    Reader(task.abort_handle())
}
