//! The guests to which virtual IPs belong: their slots in `ha_deliver`, and the ways that lead to them.
//!
//! Guests come and go with their interfaces. The kernel takes an interface that goes out of `ha_dev` by itself; here
//! it is noticed that one is back, or that it can do more or less than before.

mod lookout;
mod place;
mod way;

use std::net::IpAddr;

use anyhow::Result;
use ha_common::abi::Deliver;
use tokio::sync::mpsc;

use self::{lookout::Lookout, place::wanted};
pub(super) use self::{
    place::{Place, places, slot_of},
    way::Way,
};
use super::{Engine, group::Group, port::Ground};
use crate::{
    api::types,
    config::Config,
    dataplane::{Dataplane, Losses},
    net::{Changes, Netlink},
};

/// All guests, each once for every interface from which it is delivered to.
#[derive(Debug)]
pub(super) struct Guests {
    targets: Vec<Target>,
    found: mpsc::UnboundedReceiver<Vec<Way>>,
    /// Slots of guests that are no longer in the configuration.
    obsolete: Vec<u32>,
    losses: Option<Losses>,
}

#[derive(Debug)]
struct Target {
    place: Place,
    way: Way,
}

impl Guests {
    /// The guests of the configuration.
    ///
    /// # Errors
    /// If there are too many, or the kernel does not answer.
    pub(super) async fn prepare(
        config: &Config,
        grounds: &[Ground],
        dataplane: &Dataplane,
        netlink: &Netlink,
        changes: &Changes,
    ) -> Result<Self> {
        let known = dataplane.targets()?;
        let places = places(config, grounds, &known)?;
        let lookout = Lookout::new(netlink, wanted(&places))?;
        let ways = match &lookout {
            Some(lookout) => lookout.look().await?,
            None => Vec::new(),
        };
        let found = follow(lookout, changes, &ways);
        Ok(Self::new(places, ways, known.keys(), found))
    }

    /// `known` are the slots that are in the maps.
    fn new<'a>(
        places: Vec<Place>,
        ways: Vec<Way>,
        known: impl Iterator<Item = &'a u32>,
        found: mpsc::UnboundedReceiver<Vec<Way>>,
    ) -> Self {
        let is_used = |slot: &&u32| places.iter().any(|place| place.slot == **slot);
        let obsolete = known.filter(|slot| !is_used(slot)).copied().collect();
        let targets = places.into_iter().zip(ways);
        let targets = targets.map(|(place, way)| Target { place, way });
        Self {
            targets: targets.collect(),
            found,
            obsolete,
            losses: None,
        }
    }

    /// Index into `ha_deliver` for a virtual IP of a group.
    pub(super) fn slot_of(&self, group: &Group, vip: IpAddr) -> u32 {
        slot_of(self.targets.iter().map(|target| &target.place), group, vip)
    }

    /// Waits until the ways may have changed.
    pub(super) async fn found(&mut self) -> Vec<Way> {
        match self.found.recv().await {
            Some(ways) => ways,
            // There is nobody to look for.
            None => std::future::pending().await,
        }
    }

    /// What the status says of them.
    pub(super) fn status(&self) -> Vec<types::Guest> {
        let lost = |ifindex| self.losses.as_ref().map(|losses| losses.of(ifindex));
        let targets = self.targets.iter();
        targets
            .map(|target| types::Guest {
                interface: target.place.guest.interface.clone(),
                mac: target.place.guest.mac.to_string(),
                from: target.place.nic.name.clone(),
                way: target.way.word().to_owned(),
                note: target.way.note.clone(),
                lost: lost(target.way.ifindex),
            })
            .collect()
    }
}

impl Engine {
    /// Writes the guests into the maps, before a virtual IP names them.
    pub(super) fn write_guests(&mut self) -> Result<()> {
        if !self.guests.targets.is_empty() && self.guests.losses.is_none() {
            let losses = self.dataplane.count_losses().inspect_err(|error| {
                tracing::warn!("what guests' interfaces do not take is not counted: {error:#}");
            });
            self.guests.losses = losses.ok();
        }
        for index in 0..self.guests.targets.len() {
            self.write_guest(index)?;
        }
        Ok(())
    }

    /// Writes the guests, and the virtual IPs that name them, into maps that no program on an interface reads yet.
    pub(super) fn carry_guests(&mut self) -> Result<()> {
        for index in 0..self.guests.targets.len() {
            self.write_guest(index)?;
        }
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            if group.delivery.guests().next().is_some() {
                let vips = group.addresses();
                self.put_vips(index, &vips)?;
            }
        }
        Ok(())
    }

    /// Frees the slots that no virtual IP names any more.
    pub(super) fn clear_guests(&mut self) -> Result<()> {
        for slot in std::mem::take(&mut self.guests.obsolete) {
            self.dataplane.clear_target(slot)?;
        }
        Ok(())
    }

    /// Goes over to the guests of another configuration, or to those of this one from interfaces that are others than
    /// before. Before a virtual IP names them; [`Engine::clear_guests`] comes after.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub(super) async fn exchange_guests(&mut self, places: Vec<Place>) -> Result<()> {
        let present = self.guests.targets.iter().map(|target| &target.place);
        if present.eq(&places) {
            return Ok(());
        }
        let lookout = Lookout::new(&self.netlink, wanted(&places))?;
        let work = tokio::spawn(async move {
            match lookout {
                Some(lookout) => lookout.look().await.map(|ways| (Some(lookout), ways)),
                None => Ok((None, Vec::new())),
            }
        });
        let (lookout, ways) = self.meanwhile(work).await??;
        let found = follow(lookout, &self.means.changes, &ways);
        let known = self.dataplane.targets()?;
        let losses = self.guests.losses.take();
        self.guests = Guests {
            losses,
            ..Guests::new(places, ways, known.keys(), found)
        };
        self.write_guests()
    }

    /// Takes note of how the guests are reached now.
    pub(super) fn found_guests(&mut self, ways: Vec<Way>) {
        for (index, way) in ways.into_iter().enumerate() {
            let target = &mut self.guests.targets[index];
            let has_changed = target.way != way;
            target.way = way;
            if has_changed {
                let text = target.describe();
                tracing::info!("{text}");
                self.history.node("guest", text);
            }
            if let Err(error) = self.write_guest(index) {
                tracing::error!("{error:#}");
            }
        }
    }

    fn write_guest(&mut self, index: usize) -> Result<()> {
        let target = &self.guests.targets[index];
        let (slot, ifindex) = (target.place.slot, target.way.ifindex);
        if let Some(losses) = self.guests.losses.as_mut().filter(|_| ifindex != 0) {
            losses.watch(ifindex)?;
        }
        let value = target.place.value(&target.way);
        if let Err(error) = self.dataplane.put_target(slot, value, ifindex) {
            // The interface has gone since it was looked at; the next look says so.
            tracing::warn!("{}: {error:#}", target.place.guest.interface);
            return self
                .dataplane
                .put_target(slot, Deliver { flags: 0, ..value }, 0);
        }
        Ok(())
    }
}

impl Target {
    fn describe(&self) -> String {
        let (guest, nic) = (&self.place.guest.interface, &self.place.nic.name);
        let text = match self.way.word() {
            "none" => format!("guest {guest}: not reached from {nic}"),
            way => format!("guest {guest}: {way} from {nic}"),
        };
        match self.way.note.as_str() {
            "" => text,
            note => format!("{text}: {note}"),
        }
    }
}

/// Has the ways looked for from now on, of which these are known.
fn follow(
    lookout: Option<Lookout>,
    changes: &Changes,
    ways: &[Way],
) -> mpsc::UnboundedReceiver<Vec<Way>> {
    let (sender, found) = mpsc::unbounded_channel();
    if let Some(lookout) = lookout {
        tokio::spawn(lookout.watch(changes.clone(), ways.to_vec(), sender));
    }
    found
}
