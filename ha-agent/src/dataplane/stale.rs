//! `ha_stale`: who still uses this node for a group that it has not.

use anyhow::{Context, Result};
use aya::maps::{HashMap, Map, MapData};
use ha_common::abi::{Stale, StaleKey};

/// The map.
pub struct StaleMap(HashMap<MapData, StaleKey, Stale>);

super::opaque_debug!(StaleMap);

impl StaleMap {
    /// The map in `data`, whose shape must have been checked.
    ///
    /// # Errors
    /// If it is of the wrong kind or sizes.
    pub fn new(data: MapData) -> Result<Self> {
        Ok(Self(Map::from_map_data(data)?.try_into()?))
    }

    /// The senders of the group in a slot, the last one first. Those that come or go meanwhile may be missing.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of(&self, slot: u32) -> Result<Vec<(StaleKey, Stale)>> {
        let mut senders = Vec::new();
        for sender in &self.0 {
            let (key, stale) = sender.context("cannot read ha_stale")?;
            if key.group == slot {
                senders.push((key, stale));
            }
        }
        senders.sort_by_key(|(key, stale)| (std::cmp::Reverse(stale.last_ns), *key));
        Ok(senders)
    }
}
