//! Who would take a group over from this node: found among the peers, named to the data path, and asked.

use std::net::IpAddr;

use ha_core::{
    election::{Duty, Input},
    vrrp::Liveness,
};

use super::{Engine, liveness::Peers, switchover::conflict};
use crate::api::Refused;

impl Engine {
    pub(super) fn ask_heir(&mut self, index: usize) {
        let to = self.heir(index);
        self.name_heir(index, to);
        let _ = self.input_alone(index, Input::HandOver { to });
    }

    /// What is known of the peers has changed: who would take over, and who can be asked.
    pub(super) fn heirs_changed(&mut self) {
        for index in 0..self.groups.len() {
            // So that its place in the kernel's table is known when this node becomes Active.
            if let Some(heir) = self.heir(index) {
                self.peers.seek(self.groups[index].ifindex, heir);
            }
            if !self.serves_by_vrrp(index) {
                continue;
            }
            if self.duty() == Duty::Drained {
                self.ask_heir(index);
            } else {
                let vrrp = self.groups[index].election.vrrp();
                let asked = vrrp.and_then(|vrrp| vrrp.machine.asked_heir());
                self.name_heir(index, asked.or_else(|| self.heir(index)));
            }
        }
    }

    /// Who would take over: the first peer that lives, or the only one that was ever heard.
    pub(super) fn heir(&self, index: usize) -> Option<IpAddr> {
        let group = &self.groups[index];
        let v4 = group.election.vrrp()?.primary().v4().is_some();
        let mut living = self.candidates(index).filter(|(_, lives)| *lives);
        let first = living.next().map(|(address, _)| address);
        first.or_else(|| self.peers.only(group.ifindex, v4))
    }

    /// The peers on the interface of a group, by the addresses that they advertise from, and whether they live.
    fn candidates(&self, index: usize) -> impl Iterator<Item = (IpAddr, bool)> {
        let group = &self.groups[index];
        let vrrp = group.election.vrrp();
        let v4 = vrrp.is_some_and(|vrrp| vrrp.primary().v4().is_some());
        let ways = self.liveness.iter().flat_map(Peers::known);
        let here = ways.filter(move |(way, _)| {
            let is_witness = self.config.is_witness(way.peer);
            way.ifindex == group.ifindex && way.address.is_ipv4() == v4 && !is_witness
        });
        here.map(|(way, liveness)| (way.address, liveness == Some(Liveness::Up)))
    }

    /// The node that is to be asked, or why there is none. `None`: nobody is known by name, so all are told.
    pub(super) fn find_heir(
        &self,
        index: usize,
        to: Option<&str>,
    ) -> Result<Option<IpAddr>, Refused> {
        let candidates: Vec<_> = self.candidates(index).collect();
        let name = &self.groups[index].name;
        let Some(to) = to else {
            let living = candidates.iter().find(|(_, lives)| *lives);
            if living.is_none() && !candidates.is_empty() {
                return conflict(format!(
                    "{name}: no peer answers liveness probes, so nobody could take over: this node stays Active"
                ));
            }
            return Ok(living.map(|(address, _)| *address));
        };
        let mut meant = candidates
            .iter()
            .filter(|(address, _)| self.is_called(to, *address));
        match meant.next() {
            Some((address, true)) => Ok(Some(*address)),
            Some((_, false)) => conflict(format!(
                "{name}: {to} does not answer liveness probes, so it could not take over: this node stays Active"
            )),
            None => {
                let known: Vec<_> = candidates.iter().map(|(a, _)| self.called(*a)).collect();
                conflict(format!(
                    "{name}: no [[peer]] with an address on the group's interface is called {to}; there is {}",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                ))
            }
        }
    }

    /// Whether the peer at an address has this name, or one of its addresses is written so.
    pub(super) fn is_called(&self, name: &str, address: IpAddr) -> bool {
        let written = name.parse() == Ok(address);
        written
            || self.peer_at(address).is_some_and(|peer| {
                let peer = &self.config.peers[peer];
                peer.name == name || self.address_of(name) == self.peer_at(address)
            })
    }

    fn address_of(&self, name: &str) -> Option<usize> {
        self.peer_at(name.parse().ok()?)
    }

    /// The peer's name, or its address.
    pub(super) fn called(&self, address: IpAddr) -> String {
        let peer = self.peer_at(address);
        peer.map_or_else(
            || address.to_string(),
            |peer| self.config.peers[peer].name.clone(),
        )
    }

    fn peer_at(&self, address: IpAddr) -> Option<usize> {
        let mut ways = self.liveness.iter().flat_map(Peers::known);
        let found = ways.find(|(way, _)| way.address == address);
        found.map(|(way, _)| way.peer)
    }

    /// Has the data path hand new work on to the heir, or to nobody any more.
    pub(super) fn hand_on(&mut self, index: usize, to: Option<IpAddr>) {
        if to.is_some() {
            self.name_heir(index, to);
        }
        let group = &self.groups[index];
        // What cannot be handed on is served.
        let heir = to.map(tracing::field::display);
        tracing::debug!(group = %group.name, heir, "new work is handed on");
        self.dataplane.groups.set_settles(group.slot, to.is_some());
    }

    /// Writes the heir into the word of an Active group, so that the data path sends on to it what comes from the
    /// instant on in which it silences this node. The epoch is the same, so a demotion stands.
    pub(super) fn name_heir(&mut self, index: usize, heir: Option<IpAddr>) {
        let group = &self.groups[index];
        if !self.serves_by_vrrp(index) {
            return;
        }
        let slot = match heir {
            None => 0,
            Some(heir) => {
                self.peers.seek(group.ifindex, heir);
                self.peers.slot(group.ifindex, heir)
            }
        };
        let words = &self.dataplane.groups;
        let word = words.word(group.slot);
        if word.peer != slot {
            words.store(group.slot, ha_common::abi::RoleWord { peer: slot, ..word });
        }
    }
}
