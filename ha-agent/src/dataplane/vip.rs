//! `ha_vip4` and `ha_vip6`: which address belongs to which group.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aya::maps::{HashMap, Map, MapData, MapError};
use ha_common::abi::{Vip, Vip4Key, Vip6Key};
use ha_core::plan::VipKey;

/// Both maps.
#[derive(Debug)]
pub struct VipMaps {
    v4: HashMap<MapData, Vip4Key, Vip>,
    v6: HashMap<MapData, Vip6Key, Vip>,
}

impl VipMaps {
    /// The maps in `v4` and `v6`, whose shapes must have been checked.
    ///
    /// # Errors
    /// If one is not a hash of the right sizes.
    pub fn new(v4: MapData, v6: MapData) -> Result<Self> {
        Ok(Self {
            v4: Map::from_map_data(v4)?.try_into()?,
            v6: Map::from_map_data(v6)?.try_into()?,
        })
    }

    /// Everything that they hold.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> Result<BTreeMap<VipKey, Vip>> {
        let v4 = self.v4.iter().map(|entry| {
            let (key, vip) = entry?;
            Ok((VipKey::V4(key), vip))
        });
        let v6 = self.v6.iter().map(|entry| {
            let (key, vip) = entry?;
            Ok((VipKey::V6(key), vip))
        });
        v4.chain(v6)
            .collect::<Result<_, MapError>>()
            .context("cannot read the virtual IPs")
    }

    /// Inserts or replaces an address.
    ///
    /// # Errors
    /// The kernel's; the map may be full.
    pub fn put(&mut self, key: VipKey, vip: Vip) -> Result<()> {
        match key {
            VipKey::V4(key) => self.v4.insert(key, vip, 0),
            VipKey::V6(key) => self.v6.insert(key, vip, 0),
        }
        .with_context(|| format!("cannot store the virtual IP {key}"))
    }

    /// Removes an address, if it is there.
    ///
    /// # Errors
    /// The kernel's.
    pub fn remove(&mut self, key: VipKey) -> Result<()> {
        let removed = match key {
            VipKey::V4(key) => self.v4.remove(&key),
            VipKey::V6(key) => self.v6.remove(&key),
        };
        match removed {
            Ok(()) | Err(MapError::KeyNotFound) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("cannot remove the virtual IP {key}")),
        }
    }
}
