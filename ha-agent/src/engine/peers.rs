//! The other nodes: their slots in `ha_peer`, and the MACs of their NICs.
//!
//! Stale traffic goes to the NIC of the Active peer. Its advertisements come from the virtual MAC, so
//! the kernel's neighbour table is asked for the NIC's, at the first advertisement and then now and
//! again.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use ha_common::abi::{self, MAX_PEERS, Mac};
use tokio::sync::mpsc;

use super::{Engine, port::Port};
use crate::net::Netlink;

/// How old an answer of the neighbour table may get.
const REFRESH: Duration = Duration::from_secs(10);
/// How long the kernel may take to ask a neighbour before it is looked at again.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(20),
    Duration::from_millis(200),
    Duration::from_secs(2),
];

/// A neighbour's MAC has been found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    ifindex: u32,
    address: IpAddr,
    mac: Mac,
    /// It is no peer, but went the old way to the group in this slot.
    detours_to: Option<u32>,
}

/// All peers that were ever heard.
#[derive(Debug)]
pub(super) struct Peers {
    netlink: Netlink,
    /// Indices of the interfaces that know the neighbours of others.
    homes: HashMap<u32, u32>,
    known: HashMap<(u32, IpAddr), Peer>,
    sender: mpsc::UnboundedSender<Found>,
    receiver: mpsc::UnboundedReceiver<Found>,
}

#[derive(Debug)]
struct Peer {
    /// Index into `ha_peer`; 0 if the table is full.
    slot: u16,
    mac: Option<Mac>,
    /// `None` before the first time.
    asked: Option<Instant>,
}

impl Peers {
    pub(super) fn new(netlink: Netlink, ports: &[Port]) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            netlink,
            homes: homes(ports),
            known: HashMap::new(),
            sender,
            receiver,
        }
    }

    /// Takes note of a peer that advertised, or is to be advertised to, and finds out its MAC, now and then
    /// again.
    pub(super) fn seek(&mut self, ifindex: u32, address: IpAddr) {
        let now = Instant::now();
        let key = (ifindex, address);
        if !self.known.contains_key(&key) {
            let (slot, mac, asked) = (self.free_slot(address), None, None);
            self.known.insert(key, Peer { slot, mac, asked });
        }
        let Some(peer) = self.known.get_mut(&key) else {
            return;
        };
        let is_due = |asked| now.duration_since(asked) >= REFRESH;
        if peer.asked.is_none_or(is_due) {
            peer.asked = Some(now);
            let home = self.home(ifindex);
            let (netlink, sender) = (self.netlink.clone(), self.sender.clone());
            tokio::spawn(async move {
                if let Some(mac) = resolve(netlink, home, address).await {
                    // The engine is gone only when the agent stops.
                    let _ = sender.send(Found {
                        ifindex,
                        address,
                        mac,
                        detours_to: None,
                    });
                }
            });
        }
    }

    /// Takes over what another agent has put into the slots.
    pub(super) fn adopt(&mut self, slots: &[(u16, abi::Peer)]) {
        for (slot, peer) in slots {
            let address = Ipv6Addr::from(peer.addr).to_canonical();
            let adopted = Peer {
                slot: *slot,
                mac: Some(peer.mac),
                asked: None,
            };
            self.known.insert((peer.ifindex, address), adopted);
        }
    }

    /// Forgets who is on these interfaces; the slots that are free now.
    pub(super) fn leave(&mut self, indices: &BTreeSet<u32>) -> Vec<u16> {
        let here = |(index, _): &(u32, IpAddr)| indices.contains(index);
        let gone = self.known.extract_if(|key, _| here(key));
        let slots = gone.map(|(_, peer)| peer.slot);
        slots.filter(|slot| *slot != 0).collect()
    }

    /// The peer on an interface that has this slot.
    pub(super) fn at(&self, ifindex: u32, slot: u16) -> Option<IpAddr> {
        let mut known = self.known.iter().filter(|(_, peer)| peer.slot != 0);
        let found = known.find(|((index, _), peer)| *index == ifindex && peer.slot == slot);
        found.map(|((_, address), _)| *address)
    }

    /// A slot that no peer has; 0 if there is none.
    fn free_slot(&self, address: IpAddr) -> u16 {
        let taken: BTreeSet<u16> = self.known.values().map(|peer| peer.slot).collect();
        let free = (1..MAX_PEERS as u16).find(|slot| !taken.contains(slot));
        free.unwrap_or_else(|| {
            tracing::warn!(%address, "no room for another peer: its stale traffic is dropped");
            0
        })
    }

    /// These are the interfaces from now on.
    pub(super) fn set_ports(&mut self, ports: &[Port]) {
        self.homes = homes(ports);
    }

    fn home(&self, ifindex: u32) -> u32 {
        self.homes.get(&ifindex).copied().unwrap_or(ifindex)
    }

    /// Looks for the MAC of a neighbour that sends where the group in `slot` was before.
    pub(super) fn seek_sender(&self, slot: u32, ifindex: u32, address: IpAddr) {
        let (netlink, sender) = (self.netlink.clone(), self.sender.clone());
        let home = self.home(ifindex);
        tokio::spawn(async move {
            match netlink.neighbour(home, address).await {
                Ok(Some(mac)) => {
                    // The engine is gone only when the agent stops.
                    let _ = sender.send(Found {
                        ifindex,
                        address,
                        mac,
                        detours_to: Some(slot),
                    });
                }
                // It is behind a router, which has heard the announcement to all.
                Ok(None) => {}
                Err(error) => tracing::debug!("{error}"),
            }
        });
    }

    /// The slot of a peer in `ha_peer`, 0 if it has none.
    pub(super) fn slot(&self, ifindex: u32, address: IpAddr) -> u16 {
        self.known
            .get(&(ifindex, address))
            .map_or(0, |peer| peer.slot)
    }

    /// The only peer that was ever heard on an interface in a family, if there is only one.
    pub(super) fn only(&self, ifindex: u32, v4: bool) -> Option<IpAddr> {
        let here = |(at, address): &&(u32, IpAddr)| *at == ifindex && address.is_ipv4() == v4;
        let mut addresses = self.known.keys().filter(here).map(|(_, address)| *address);
        let first = addresses.next()?;
        addresses.next().is_none().then_some(first)
    }

    /// The MAC of a peer's NIC.
    pub(super) fn mac(&self, ifindex: u32, address: IpAddr) -> Option<Mac> {
        self.known.get(&(ifindex, address))?.mac
    }

    /// Waits for the next MAC that is found.
    pub(super) async fn found(&mut self) -> Found {
        match self.receiver.recv().await {
            Some(found) => found,
            // Never: the other end is kept beside this one.
            None => std::future::pending().await,
        }
    }
}

impl Engine {
    /// Writes the MAC of a peer to the kernel's table, or tells a sender where the group is.
    pub(super) fn found_neighbour(&mut self, found: &Found) {
        if let Some(slot) = found.detours_to {
            return self.announce_to(slot, found.mac, found.address.is_ipv4());
        }
        let Some(peer) = self.peers.known.get_mut(&(found.ifindex, found.address)) else {
            return;
        };
        if peer.mac == Some(found.mac) || peer.slot == 0 {
            return;
        }
        let addr = match found.address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        let entry = abi::Peer {
            mac: found.mac,
            pad: [0; 2],
            ifindex: found.ifindex,
            addr,
        };
        match self.dataplane.set_peer(peer.slot, &entry) {
            Ok(()) => {
                tracing::debug!(peer = %found.address, mac = %found.mac, "found a peer's NIC");
                peer.mac = Some(found.mac);
            }
            Err(error) => tracing::warn!(peer = %found.address, "cannot note a peer: {error:#}"),
        }
    }
}

fn homes(ports: &[Port]) -> HashMap<u32, u32> {
    let homes = ports.iter().map(|port| (port.link.index, port.home.index));
    homes.collect()
}

async fn resolve(netlink: Netlink, home: u32, address: IpAddr) -> Option<Mac> {
    for patience in PATIENCE {
        if let Err(error) = netlink.probe_neighbour(home, address).await {
            tracing::debug!("{error}");
        }
        tokio::time::sleep(patience).await;
        match netlink.neighbour(home, address).await {
            Ok(Some(mac)) => return Some(mac),
            Ok(None) => {}
            Err(error) => tracing::debug!("{error}"),
        }
    }
    tracing::warn!(peer = %address, "the peer does not answer for its own address");
    None
}
