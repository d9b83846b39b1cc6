//! Local recovery: a group whose interface is not well is served on another one of this node.
//!
//! Role and epoch stay, so no other node has to do anything. The data path is on all interfaces, and their NICs let
//! through what the group needs, so a move is the group's fields in the map, an advertisement and announcements.

mod lanes;
mod status;
mod targets;

use std::collections::BTreeSet;

use anyhow::Result;
use ha_common::abi::{GROUP_USED, GROUP_VIRTUAL_MAC, Mac, RoleWord};
use ha_core::{
    election::{Election as _, Input, Role},
    plan::GroupName,
    recovery::{Choice, Way, choose, judge},
    track::State,
};

pub(super) use self::{lanes::News, targets::Targets};

use super::{Engine, group::Group, port::Ground, reconcile::solicited, setup};
use crate::{
    config::{Config, track::Kind},
    dataplane::{Admitted, Dataplane},
};

/// The interfaces on which an agent before this one has served the groups.
pub(super) fn found(
    config: &Config,
    grounds: &[Ground],
    dataplane: &Dataplane,
) -> Result<Vec<Option<String>>> {
    let words = dataplane.groups.groups();
    let places = config.groups.iter().map(|group| {
        let name = GroupName::new(&group.name)?;
        let mut used = words.iter().filter(|slot| slot.flags & GROUP_USED != 0);
        let found = used.find(|slot| name.is_of(slot));
        let ground = found.and_then(|slot| {
            let mut grounds = grounds.iter();
            grounds.find(|ground| ground.link.index == slot.ifindex)
        });
        Ok(ground.map(|ground| ground.link.name.clone()))
    });
    places.collect()
}

impl Engine {
    /// Whether an interface is there, and has a link as far as is known.
    pub(super) fn is_well(&self, port: usize) -> bool {
        let port = &self.ports[port];
        let own = Kind::Interface {
            interface: port.link.name.clone(),
        };
        let entries = self.health.entries();
        let check = entries.iter().rposition(|entry| entry.check.kind == own);
        let is_down = check.is_some_and(|check| self.health.state(check) == State::Down);
        !port.is_gone && !is_down
    }

    /// Has a group served where it should be.
    pub(super) fn choose_way(&mut self, index: usize) {
        if self.groups[index].ways.len() < 2 {
            return;
        }
        self.tell_links(index);
        let mut ways = self.ways(index);
        judge(&mut ways);
        let now = self.now();
        let group = &mut self.groups[index];
        group.cut = ways.iter().map(|way| way.is_cut).collect();
        match choose(&ways, group.way()) {
            Choice::Stay => group.returns_at = None,
            // One that was well and was not is waited for anew: in between it was not the best one.
            Choice::Return(_) => {
                let at = group.returns_after.map(|delay| now + delay);
                group.returns_at = group.returns_at.or(at);
            }
            Choice::Move(to) => self.move_to(index, to),
        }
    }

    /// Moves the groups back whose better interface has been well for long enough.
    pub(super) fn go_back(&mut self) {
        let now = self.now();
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            if group.returns_at.is_some_and(|at| at <= now) {
                match choose(&self.ways(index), group.way()) {
                    Choice::Return(to) => self.return_to(index, to),
                    Choice::Move(to) => self.move_to(index, to),
                    Choice::Stay => self.groups[index].returns_at = None,
                }
            }
        }
    }

    /// Both interfaces hear the clients, so what the one has answered is noted first.
    fn return_to(&mut self, index: usize, way: usize) {
        match self.note_going_over(index) {
            Some(noted) => self.groups[index].returns_at = Some(noted),
            None => self.move_to(index, way),
        }
    }

    /// What is known of a group's interfaces.
    fn ways(&self, index: usize) -> Vec<Way> {
        let group = &self.groups[index];
        let reach = self.targets.reach(index);
        let ways = group.ways.iter().enumerate();
        ways.map(|(place, way)| Way {
            has_link: self.is_well(*way),
            reach: reach
                .and_then(|reach| reach.get(place))
                .copied()
                .unwrap_or_default(),
            // Without targets, as after a reload, nothing would ever take it back.
            is_cut: reach.is_some() && group.is_cut(place),
        })
        .collect()
    }

    /// Has a group's targets pinged over the interfaces that have a link.
    fn tell_links(&self, index: usize) {
        let ways = self.groups[index].ways.iter();
        let links = ways.map(|way| self.is_well(*way)).collect();
        self.targets.set_links(index, links);
    }

    /// `way` is a place among the group's ways.
    fn move_to(&mut self, index: usize, way: usize) {
        let why = self.trouble(index, self.groups[index].way());
        let group = &mut self.groups[index];
        group.returns_at = None;
        let port = group.ways[way];
        let (link, addresses) = (&self.ports[port].link, self.ports[port].addresses);
        let nic = self.ports[port].mac();
        let (before, after) = (&self.ports[group.port].link.name, &link.name);
        let primary = match setup::primary(&self.config.groups[index], after, addresses) {
            Ok(primary) => primary,
            Err(error) => {
                tracing::error!(group = %group.name, "cannot be served on {after}: {error:#}");
                return;
            }
        };
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let text = format!("from {before} to {after}, without changing nodes{why}");
        group.port = port;
        group.ifindex = link.index;
        if group.flags & GROUP_VIRTUAL_MAC == 0 {
            (group.mac4, group.mac6) = (nic, nic);
        }
        let words = &self.dataplane.groups;
        words.move_to(group.slot, &group.fields(nic));
        tracing::warn!(group = %group.name, "moved {text}");
        let guests = group.delivery.guests().next();
        let hosted = guests.map_or_else(Vec::new, |_| group.addresses());
        self.history.group(&group.name, "local_move", text);
        let config = group.election.vrrp().zip(primary).map(|(vrrp, primary)| {
            let mut config = vrrp.machine.config().clone();
            config.primary = primary;
            Box::new(config)
        });
        // From there its guests may be reached in another way.
        if let Err(error) = self.put_vips(index, &hosted) {
            tracing::error!("virtual IPs of guests: {error:#}");
        }
        self.routers = setup::routers(&self.groups);
        // First: what it says from there may be heard where it was, as another router's.
        self.exchange_routers();
        if let Some(config) = config {
            // It advertises from there at once.
            self.input(index, Input::Reconfigure(config));
        }
        let group = &self.groups[index];
        let (slot, count) = (group.slot, group.vips.len());
        match group.election.role() {
            Role::Active => self.announcer.start(self.now(), slot, count),
            Role::Backup | Role::Claiming => {}
        }
        self.follow(index);
        self.exchange_routers();
        self.bring_clients_along();
    }

    fn exchange_routers(&mut self) {
        let routers = self.virtual_routers();
        if let Err(error) = self.dataplane.set_routers(&routers) {
            tracing::error!("virtual routers: {error:#}");
        }
    }

    /// Has stale traffic sent on over the interface on which the group is now.
    fn follow(&mut self, index: usize) {
        let group = &self.groups[index];
        if group.election.role() == Role::Active {
            self.heirs_changed();
        } else if let Some(active) = group.active {
            self.peers.seek(group.ifindex, active);
            let word = self.dataplane.groups.word(group.slot);
            let peer = self.peers.slot(group.ifindex, active);
            let next = RoleWord { peer, ..word };
            self.dataplane.groups.store(group.slot, next);
        }
    }

    /// Programs on this host reach the addresses from the own address on the interface.
    fn bring_clients_along(&self) {
        let (netlink, wanted) = (self.netlink.clone(), self.client_routes());
        tokio::spawn(async move {
            let moved = async {
                let found = netlink.client_routes().await?;
                netlink
                    .del_client_routes(found.difference(&wanted).copied())
                    .await?;
                netlink
                    .add_client_routes(wanted.difference(&found).copied())
                    .await
            };
            if let Err(error) = moved.await {
                tracing::error!("routes of this host's own programs: {error}");
            }
        });
    }

    /// Has the NICs on which groups may be served let through what these need.
    pub(super) async fn admit_on_others(&self) -> Result<()> {
        let mut admitted = Admitted::new();
        self.add_others(&mut admitted);
        for (index, macs) in admitted {
            let found = self.netlink.filters(index).await?;
            let missing = macs.difference(&found).copied();
            self.netlink.add_filters(index, missing).await?;
        }
        Ok(())
    }

    /// Adds what NICs must let through on which groups are not served, but may be.
    pub(super) fn add_others(&self, admitted: &mut Admitted) {
        for group in &self.groups {
            for way in group.ways.iter().filter(|way| **way != group.port) {
                let port = &self.ports[*way];
                if !port.is_gone {
                    let macs = admitted.entry(port.link.index).or_default();
                    macs.extend(group.admitted());
                }
            }
        }
    }
}

impl Group {
    /// The place of the interface on which it is served among its ways.
    fn way(&self) -> usize {
        let mut ways = self.ways.iter();
        ways.position(|way| *way == self.port).unwrap_or_default()
    }

    /// Whether one of its ways reaches no ping target that another one has reached.
    fn is_cut(&self, way: usize) -> bool {
        self.cut.get(way).copied().unwrap_or_default()
    }

    fn admitted(&self) -> BTreeSet<Mac> {
        let mut macs = solicited(&self.addresses());
        if self.flags & GROUP_VIRTUAL_MAC != 0 {
            macs.extend([self.mac4, self.mac6]);
        }
        macs
    }
}
