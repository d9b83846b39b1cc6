//! The guests to which virtual IPs belong: their slots in `ha_deliver`, and the ways that lead to them.
//!
//! Guests come and go with their interfaces. The kernel takes an interface that goes out of `ha_dev` by itself; here
//! it is noticed that one is back, or that it can do more or less than before.

mod lookout;
mod way;

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::{Result, ensure};
use ha_common::{
    abi::{DELIVER_GUEST, Deliver, MAX_DELIVER},
    wire::eth,
};
use tokio::sync::mpsc;

pub(super) use self::way::Way;
use self::{lookout::Lookout, way::Nic};
use super::{Engine, group::Group, port::Ground};
use crate::{
    api::types,
    config::{Config, Guest},
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

/// A guest, and an interface from which it is delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    guest: Guest,
    nic: Nic,
    /// Index into `ha_deliver`.
    slot: u32,
}

#[derive(Debug)]
struct Target {
    place: Place,
    way: Way,
}

/// The guests of a configuration, each from all interfaces on which its group may be served. Those that the maps know
/// keep their slots.
///
/// # Errors
/// If there are too many.
pub(super) fn places(
    config: &Config,
    grounds: &[Ground],
    known: &BTreeMap<u32, Deliver>,
) -> Result<Vec<Place>> {
    let mut wanted: Vec<(Guest, Nic)> = Vec::new();
    for group in &config.groups {
        for (name, guest) in group.interfaces().flat_map(|name| {
            let guests = group.delivery.guests();
            guests.map(move |guest| (name, guest))
        }) {
            let nic = nic(name, config, grounds);
            wanted.extend(nic.map(|nic| (guest.clone(), nic)));
        }
    }
    wanted.sort_by(|one, other| (&one.0, one.1.index).cmp(&(&other.0, other.1.index)));
    wanted.dedup();
    ensure!(
        wanted.len() < MAX_DELIVER as usize,
        "{} guests are more than the {} that a node can deliver to: remove some",
        wanted.len(),
        MAX_DELIVER - 1
    );
    let slots = slots(&wanted, known);
    let places = wanted.into_iter().zip(slots);
    let places = places.map(|((guest, nic), slot)| Place { guest, nic, slot });
    Ok(places.collect())
}

/// Index into `ha_deliver` for a virtual IP of a group.
pub(super) fn slot_of<'a>(
    mut places: impl Iterator<Item = &'a Place>,
    group: &Group,
    vip: IpAddr,
) -> u32 {
    /// This host's own stack.
    const LOCAL_STACK: u32 = 0;
    let guest = group.delivery.of(vip);
    let place = guest.and_then(|guest| {
        places.find(|place| place.nic.index == group.ifindex && place.guest == *guest)
    });
    place.map_or(LOCAL_STACK, |place| place.slot)
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
        let value = target.value();
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
    fn value(&self) -> Deliver {
        let Place { guest, nic, .. } = &self.place;
        let mut name = [0; 16];
        let octets = guest.interface.bytes();
        name.iter_mut()
            .zip(octets)
            .for_each(|(to, from)| *to = from);
        Deliver {
            kind: DELIVER_GUEST,
            flags: self.way.flags,
            max_len: self.way.mtu + size_of::<eth::Header>() as u32,
            ifindex: nic.index,
            vlan: guest.vlan,
            mac: guest.mac,
            pad: [0; 2],
            name,
        }
    }

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

fn wanted(places: &[Place]) -> Vec<(Guest, Nic)> {
    let each = places.iter();
    each.map(|place| (place.guest.clone(), place.nic.clone()))
        .collect()
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

fn nic(name: &str, config: &Config, grounds: &[Ground]) -> Option<Nic> {
    let ground = grounds.iter().find(|ground| ground.link.name == name)?;
    let interface = config.interfaces.iter().find(|i| i.name == name)?;
    Some(Nic {
        name: name.to_owned(),
        index: ground.link.index,
        mode: interface.mode,
    })
}

/// A slot for each guest: the one that it has, or a free one.
fn slots(wanted: &[(Guest, Nic)], known: &BTreeMap<u32, Deliver>) -> Vec<u32> {
    let has = |(guest, nic): &(Guest, Nic), found: &Deliver| {
        let end = found.name.iter().position(|octet| *octet == 0);
        let name = &found.name[..end.unwrap_or(found.name.len())];
        name == guest.interface.as_bytes()
            && found.mac == guest.mac
            && found.vlan == guest.vlan
            && found.ifindex == nic.index
    };
    let slot_of = |target: &(Guest, Nic)| {
        let mut known = known.iter();
        let found = known.find(|(_, found)| has(target, found));
        found.map(|(slot, _)| *slot)
    };
    // What another one has is not taken before no virtual IP names it; if there is no other left, it is.
    let taken: Vec<u32> = wanted.iter().filter_map(slot_of).collect();
    let unknown = (1..MAX_DELIVER).filter(|slot| !known.contains_key(slot));
    let others = known.keys().copied().filter(|slot| !taken.contains(slot));
    let mut free = unknown.chain(others);
    let slots = wanted
        .iter()
        .map(|target| slot_of(target).or_else(|| free.next()));
    slots.flatten().collect()
}

#[cfg(test)]
mod tests {
    use ha_common::abi::{Mac, Vlan};

    use std::path::Path;

    use super::{
        super::{port::Presence, setup},
        *,
    };
    use crate::{
        config::Mode,
        net::{Addresses, Leads, Link},
    };

    fn target(last: u8, nic: u32) -> (Guest, Nic) {
        let guest = Guest {
            interface: format!("tap{last}"),
            mac: Mac([2, 0, 0, 0, 0, last]),
            vlan: Vlan::default(),
        };
        let nic = Nic {
            name: "eth0".to_owned(),
            index: nic,
            mode: Mode::Native,
        };
        (guest, nic)
    }

    fn value((guest, nic): (Guest, Nic)) -> Deliver {
        let target = Target {
            place: Place {
                guest,
                nic,
                slot: 0,
            },
            way: Way::default(),
        };
        target.value()
    }

    const FILE: &str = r#"[node]
name = "alpha"
[[interface]]
name = "eth0"
[[interface]]
name = "eth1"
[[group]]
name = "web"
interface = "eth0"
vips = ["192.0.2.10"]
deliver = { guest = "tap0", mac = "02:00:00:00:00:07" }
[group.local]
fallback = ["eth1"]
[group.election]
type = "manual"
vrid = 51
"#;

    fn ground(name: &str, index: u32) -> Ground {
        let link = Link {
            index,
            name: name.to_owned(),
            mac: Mac::ZERO,
            up: true,
            mtu: 1500,
            veth: false,
            bridge: false,
            leads: Leads::Out,
            master: None,
            lower: None,
            xdp: None,
        };
        Ground {
            home: link.clone(),
            link,
            addresses: Addresses::default(),
            presence: Presence::Known,
        }
    }

    #[test]
    fn a_guest_is_reached_from_all_nics_of_its_group_and_from_one_that_takes_the_place_of_another()
    {
        let config = Config::parse(FILE, Path::new("ha.toml")).unwrap();
        let vip = "192.0.2.10".parse().unwrap();
        let on = |grounds: &[Ground], known: &BTreeMap<u32, Deliver>, name: &str| {
            let places = places(&config, grounds, known).unwrap();
            let at = [Some(name.to_owned())];
            let groups = setup::groups(&config, grounds, &[], &at).unwrap();
            let slot = slot_of(places.iter(), &groups[0], vip);
            (places, slot)
        };
        let before = [ground("eth0", 2), ground("eth1", 3)];
        let none = BTreeMap::new();
        assert_eq!(on(&before, &none, "eth0").1, 1);
        let (places, slot) = on(&before, &none, "eth1");
        assert_eq!(slot, 2);

        let known = places.into_iter().map(|place| {
            let (slot, way) = (place.slot, Way::default());
            (slot, Target { place, way }.value())
        });
        let known = known.collect();
        let after = [ground("eth0", 7), ground("eth1", 3)];
        assert_eq!(on(&after, &known, "eth0").1, 3);
        let (places, slot) = on(&after, &known, "eth1");
        assert_eq!(slot, 2, "it stays");
        let (_, found) = mpsc::unbounded_channel();
        let guests = Guests::new(places, vec![Way::default(); 2], known.keys(), found);
        assert_eq!(guests.obsolete, [1]);
    }

    #[test]
    fn a_guest_keeps_its_slot() {
        let known = BTreeMap::from([(1, value(target(7, 2))), (2, value(target(8, 2)))]);
        let wanted = [target(5, 2), target(8, 2), target(8, 3)];
        assert_eq!(slots(&wanted, &known), [3, 2, 4]);
        assert_eq!(slots(&wanted, &BTreeMap::new()), [1, 2, 3]);
    }

    #[test]
    fn a_full_table_gives_what_nobody_wants() {
        let known = (1..MAX_DELIVER).map(|slot| (slot, value(target(7, slot + 100))));
        let known = known.collect();
        assert_eq!(slots(&[target(7, 101), target(9, 2)], &known), [1, 2]);
    }
}
