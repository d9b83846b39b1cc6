//! `ha_stat` and `ha_reason`: what became of the frames.

use anyhow::{Context, Result};
use aya::maps::{Map, MapData, PerCpuArray};
use ha_common::{
    abi::{Traffic, stat_index},
    reason::{Reason, Verdict},
};

/// Both maps.
pub struct StatMaps {
    by_group: PerCpuArray<MapData, Traffic>,
    by_reason: PerCpuArray<MapData, Traffic>,
}

super::opaque_debug!(StatMaps);

impl StatMaps {
    /// The maps in `by_group` and `by_reason`, whose shapes must have been checked.
    ///
    /// # Errors
    /// If one is of the wrong kind or sizes.
    pub fn new(by_group: MapData, by_reason: MapData) -> Result<Self> {
        Ok(Self {
            by_group: Map::from_map_data(by_group)?.try_into()?,
            by_reason: Map::from_map_data(by_reason)?.try_into()?,
        })
    }

    /// Frames by reason, on all processors.
    ///
    /// # Errors
    /// The kernel's.
    pub fn reasons(&self) -> Result<Vec<(Reason, Traffic)>> {
        Reason::ALL
            .iter()
            .map(|reason| Ok((*reason, sum(&self.by_reason, *reason as u32)?)))
            .collect()
    }

    /// Frames of the group in a slot by verdict, on all processors.
    ///
    /// # Errors
    /// The kernel's.
    pub fn traffic(&self, slot: u32) -> Result<Vec<(Verdict, Traffic)>> {
        Verdict::ALL
            .into_iter()
            .map(|verdict| Ok((verdict, sum(&self.by_group, stat_index(slot, verdict))?)))
            .collect()
    }
}

fn sum(map: &PerCpuArray<MapData, Traffic>, index: u32) -> Result<Traffic> {
    let values = map.get(&index, 0).context("cannot read the counters")?;
    Ok(values.iter().fold(Traffic::default(), |sum, one| Traffic {
        packets: sum.packets + one.packets,
        bytes: sum.bytes + one.bytes,
    }))
}
