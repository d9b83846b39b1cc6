//! Interfaces that go away and come back, as when a driver is loaded anew or a virtual NIC is taken out and put in.
//!
//! What comes back has the name, but is another interface: it has neither the program nor the filters of the one
//! before. As long as there is none, its groups are let go and their addresses are local no more, since the kernel
//! would answer for them on an interface without the data path. When it is back and has its addresses, it is
//! opened as one that a reload adds, and its groups begin anew.
//!
//! Beside them the ports of bonds, which come and go while their bond stays.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use ha_common::abi::{self, PORT_IDLE};
use tokio::{sync::mpsc, task::AbortHandle, time::timeout};

use super::{Engine, group::Group, setup};
use crate::{
    config::Mode,
    net::{Addresses, Bond, Changes, Link, Netlink},
};

/// How often interfaces are looked at without being told of a change.
const GLANCE: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Clone, Debug)]
pub(super) enum Sighting {
    Interface(Seen),
    /// All ports, by their index, of the bonds whose programs run in the drivers of their ports.
    Ports(BTreeMap<u32, abi::Port>),
}

/// What there is of an interface of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    name: String,
    /// With its own addresses; `None` if there is no interface of this name.
    found: Option<(Link, Addresses)>,
}

/// Looks at the interfaces of the configuration, whenever one may have changed.
#[derive(Debug)]
pub(super) struct Lookout {
    sightings: mpsc::UnboundedReceiver<Sighting>,
    task: Option<AbortHandle>,
    /// Why an interface that is back could not be used yet.
    trouble: Option<String>,
}

impl Lookout {
    /// Looks at nothing yet.
    pub(super) fn new() -> Self {
        Self {
            sightings: mpsc::unbounded_channel().1,
            task: None,
            trouble: None,
        }
    }

    /// Looks at these interfaces from now on. What was seen before does not count any more.
    fn watch(&mut self, names: Vec<(String, Mode)>, netlink: Netlink, changes: Changes) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        let (sender, sightings) = mpsc::unbounded_channel();
        let task = tokio::spawn(look_out(names, netlink, changes, sender));
        self.sightings = sightings;
        self.task = Some(task.abort_handle());
        self.trouble = None;
    }

    /// Waits for what is seen next.
    pub(super) async fn next(&mut self) -> Sighting {
        match self.sightings.recv().await {
            Some(sighting) => sighting,
            // Before anything is looked at.
            None => std::future::pending().await,
        }
    }

    /// What was seen while something was tried may be from before.
    fn forget(&mut self) {
        while self.sightings.try_recv().is_ok() {}
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn look_out(
    names: Vec<(String, Mode)>,
    netlink: Netlink,
    mut changes: Changes,
    sender: mpsc::UnboundedSender<Sighting>,
) {
    let mut known = None;
    loop {
        let mut bonds = BTreeMap::new();
        for (name, mode) in &names {
            let found = match look(name, &netlink).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::debug!("{error:#}");
                    continue;
                }
            };
            if let Some((link, _)) = &found
                && let Some(bond) = link.bond
                && *mode == Mode::Native
            {
                bonds.insert(link.index, bond);
            }
            let name = name.clone();
            let seen = Sighting::Interface(Seen { name, found });
            if sender.send(seen).is_err() {
                return;
            }
        }
        match ports(&bonds, &netlink).await {
            Ok(ports) if known.as_ref() == Some(&ports) => {}
            Ok(ports) => {
                known = Some(ports.clone());
                if sender.send(Sighting::Ports(ports)).is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!("{error:#}"),
        }
        // Either is as good.
        let _ = timeout(GLANCE, changes.link_or_address()).await;
    }
}

async fn look(name: &str, netlink: &Netlink) -> Result<Option<(Link, Addresses)>> {
    let Some(link) = netlink.link(name).await? else {
        return Ok(None);
    };
    let home = netlink.home(&link).await?;
    let addresses = netlink.addresses(home.index).await?;
    Ok(Some((link, addresses)))
}

/// The ports of these bonds.
async fn ports(bonds: &BTreeMap<u32, Bond>, netlink: &Netlink) -> Result<BTreeMap<u32, abi::Port>> {
    if bonds.is_empty() {
        return Ok(BTreeMap::new());
    }
    let links = netlink.links().await?;
    let of_each = links.iter().filter_map(|link| port_of(bonds, link));
    Ok(of_each.collect())
}

fn port_of(bonds: &BTreeMap<u32, Bond>, link: &Link) -> Option<(u32, abi::Port)> {
    let bond = link.master?;
    let uses = bonds.get(&bond)?.uses;
    let is_idle = uses.is_some_and(|used| used != link.index);
    let flags = if is_idle { PORT_IDLE } else { 0 };
    Some((link.index, abi::Port { bond, flags }))
}

impl Engine {
    /// Looks at the interfaces that there are ports of.
    pub(super) fn look_out(&mut self) {
        let configured = self.config.interfaces.iter();
        let names = configured.map(|interface| (interface.name.clone(), interface.mode));
        let (netlink, changes) = (self.netlink.clone(), self.means.changes.clone());
        self.lookout.watch(names.collect(), netlink, changes);
    }

    /// Whether a group has no interface at present on which it could be served.
    pub(super) fn is_adrift(&self, index: usize) -> bool {
        let group = &self.groups[index];
        self.ports[group.port].is_gone || group.ways.len() > 1 && !self.is_well(group.port)
    }

    /// Interfaces were looked at.
    ///
    /// # Errors
    /// If the lease was lost meanwhile, and there is no other.
    pub(super) async fn sighted(&mut self, sighting: &Sighting) -> Result<()> {
        match sighting {
            Sighting::Interface(seen) => self.seen_interface(seen).await,
            Sighting::Ports(ports) => {
                if let Err(error) = self.dataplane.set_ports(ports) {
                    tracing::error!(
                        "what comes in by some ports of bonds is not served: {error:#}"
                    );
                }
                Ok(())
            }
        }
    }

    async fn seen_interface(&mut self, seen: &Seen) -> Result<()> {
        let mut ports = self.ports.iter();
        let Some(place) = ports.position(|port| port.link.name == seen.name) else {
            return Ok(());
        };
        let port = &self.ports[place];
        match &seen.found {
            Some((link, _)) if port.is(link) => return Ok(()),
            None if port.is_gone => return Ok(()),
            Some(_) | None => {}
        }
        if !port.is_gone {
            self.let_go_of(place).await;
        }
        if let Some((link, addresses)) = &seen.found
            && self.has_enough(&link.name, *addresses)
        {
            self.take_back_port(link).await;
        }
        if self.lease.is_none() {
            self.take_lease()?;
        }
        Ok(())
    }

    /// An interface is not there any more, or is another one.
    async fn let_go_of(&mut self, place: usize) {
        let port = &mut self.ports[place];
        port.is_gone = true;
        port.link.up = false;
        let (name, index) = (port.link.name.clone(), port.link.index);
        let text = format!(
            "the interface {name} (index {index}) is gone: its groups are let go until there is one of this name again"
        );
        tracing::error!("{text}");
        self.history.node("interface_gone", text);
        let on_it = |group: &Group| group.port == place;
        let groups: Vec<_> = (0..self.groups.len())
            .filter(|index| on_it(&self.groups[*index]))
            .collect();
        for index in &groups {
            let text = format!("{name} is gone");
            let group = self.groups[*index].name.clone();
            self.history.group(&group, "interface_gone", text);
            self.weigh(*index);
        }
        let local = self.local();
        let addresses = groups
            .iter()
            .flat_map(|index| self.groups[*index].own_vips());
        let routes = addresses.filter(|vip| !local.contains(vip)).collect();
        let removed = self.remove(routes, BTreeMap::new()).await;
        let removed = match removed {
            Ok(()) => self.exchange_clients().await,
            error @ Err(_) => error,
        };
        if let Err(error) = removed {
            tracing::error!("cannot remove the routes of virtual IPs on {name}: {error:#}");
        }
    }

    /// Whether an interface has the addresses that its groups need.
    fn has_enough(&self, name: &str, addresses: Addresses) -> bool {
        let groups = self.config.groups.iter();
        let mut on_it = groups.filter(|group| group.interfaces().any(|on| on == name));
        on_it.all(|group| setup::primary(group, name, addresses).is_ok())
    }

    /// An interface is back.
    async fn take_back_port(&mut self, link: &Link) {
        let name = &link.name;
        match self.renew().await {
            Ok(problems) => {
                for problem in problems {
                    tracing::error!("{name} is back: {problem}");
                }
                let text = format!(
                    "the interface {name} is back (index {}): its groups take part again",
                    link.index
                );
                tracing::info!("{text}");
                self.history.node("interface_back", text);
            }
            Err(refused) => {
                let text = format!("{name} is back, but cannot be used yet: {refused}");
                if self.lookout.trouble.as_ref() != Some(&text) {
                    tracing::warn!("{text}");
                    self.lookout.trouble = Some(text);
                }
                self.lookout.forget();
            }
        }
    }
}
