//! Which guests there are, from which interfaces they are reached, and their slots in `ha_deliver`.

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::{Result, ensure};
use ha_common::{
    abi::{DELIVER_GUEST, Deliver, MAX_DELIVER},
    wire::eth,
};

use super::{
    super::{group::Group, port::Ground},
    way::{Nic, Way},
};
use crate::config::{Config, Guest};

/// A guest, and an interface from which it is delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Place {
    pub(super) guest: Guest,
    pub(super) nic: Nic,
    /// Index into `ha_deliver`.
    pub(super) slot: u32,
}

impl Place {
    /// What the map has of it.
    pub(super) fn value(&self, way: &Way) -> Deliver {
        let Self { guest, nic, .. } = self;
        let mut name = [0; 16];
        let octets = guest.interface.bytes();
        name.iter_mut()
            .zip(octets)
            .for_each(|(to, from)| *to = from);
        Deliver {
            kind: DELIVER_GUEST,
            flags: way.flags,
            max_len: way.mtu + size_of::<eth::Header>() as u32,
            ifindex: nic.index,
            vlan: guest.vlan,
            mac: guest.mac,
            pad: [0; 2],
            name,
        }
    }
}

/// The guests of a configuration, each from all interfaces on which its group may be served. Those that the maps know
/// keep their slots.
///
/// # Errors
/// If there are too many.
pub(in crate::engine) fn places(
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
pub(in crate::engine) fn slot_of<'a>(
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

/// Without the slots.
pub(super) fn wanted(places: &[Place]) -> Vec<(Guest, Nic)> {
    let each = places.iter();
    each.map(|place| (place.guest.clone(), place.nic.clone()))
        .collect()
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
        super::super::{port::Presence, setup},
        *,
    };
    use crate::{
        config::Mode,
        net::{Addresses, Link},
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
        let place = Place {
            guest,
            nic,
            slot: 0,
        };
        place.value(&Way::default())
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
            up: true,
            mtu: 1500,
            ..Link::default()
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

        let known = places
            .iter()
            .map(|place| (place.slot, place.value(&Way::default())));
        let known = known.collect();
        let after = [ground("eth0", 7), ground("eth1", 3)];
        assert_eq!(on(&after, &known, "eth0").1, 3);
        let (places, slot) = on(&after, &known, "eth1");
        assert_eq!(slot, 2, "it stays");
        let slots: Vec<_> = places.iter().map(|place| place.slot).collect();
        assert_eq!(slots, [2, 3], "that of the NIC that is gone is free");
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
