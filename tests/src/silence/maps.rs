//! A node's pinned maps, read from outside.

use std::{fs, net::IpAddr, path::Path};

use anyhow::{Context, Result};
use aya::{
    Pod,
    maps::{Array, HashMap, Map, MapData},
};
use ha_common::abi::{GROUP_USED, Group, MAX_GROUPS, SCHEMA, Vip, Vip4Key, Vip6Key, map};

use super::role::Words;

/// What decides who a node is, and for which addresses.
pub(super) struct Maps {
    groups: Array<MapData, Group>,
    /// The slot of its one group.
    slot: u32,
    node: Array<MapData, ha_common::abi::Node>,
    vip4: HashMap<MapData, Vip4Key, Vip>,
    vip6: HashMap<MapData, Vip6Key, Vip>,
}

impl Maps {
    pub(super) fn open(pins: &Path) -> Result<Self> {
        let groups = array::<Group>(pins, map::GROUP)?;
        let is_used = |slot: &u32| {
            let group = groups.get(slot, 0);
            group.is_ok_and(|group| group.flags & GROUP_USED != 0)
        };
        Ok(Self {
            slot: (0..MAX_GROUPS)
                .find(is_used)
                .context("the agent has no group")?,
            groups,
            node: array(pins, map::NODE)?,
            vip4: pinned(pins, map::VIP4)?.try_into()?,
            vip6: pinned(pins, map::VIP6)?.try_into()?,
        })
    }

    /// The virtual IPs that it has now.
    pub(super) fn vips(&self) -> Result<Vec<IpAddr>> {
        let v4 = self.vip4.keys().map(|key| Ok(key?.addr.into()));
        let v6 = self.vip6.keys().map(|key| Ok(key?.addr.into()));
        v4.chain(v6).collect()
    }

    pub(super) fn words(&self) -> Result<Words> {
        let group = self.groups.get(&self.slot, 0)?;
        Ok(Words {
            role: group.word,
            demoted: group.demoted,
            lease: self.node.get(&0, 0)?.lease,
        })
    }
}

/// The schemas of which something is pinned.
pub(super) fn schemas(pins: &Path) -> Result<Vec<u32>> {
    let entries = fs::read_dir(pins).with_context(|| format!("cannot read {}", pins.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    Ok(names
        .filter_map(|name| name.to_str()?.parse().ok())
        .collect())
}

fn array<V: Pod>(pins: &Path, name: &str) -> Result<Array<MapData, V>> {
    Ok(pinned(pins, name)?.try_into()?)
}

fn pinned(pins: &Path, name: &str) -> Result<Map> {
    let pin = pins.join(SCHEMA.to_string()).join(name);
    let data = MapData::from_pin(&pin).with_context(|| format!("opening {}", pin.display()))?;
    Ok(Map::from_map_data(data)?)
}
