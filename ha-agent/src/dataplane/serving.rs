//! Over which maps the data path on an interface works: what is pinned may be older or newer.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use aya::{maps::MapInfo, programs::loaded_programs};
use ha_common::abi::map;

use super::{Attach, PinDir};

/// Indices of the interfaces on which the data path works over the maps that are pinned in `pins`.
///
/// # Errors
/// If the map of groups is not there, or the kernel does not answer.
pub(super) fn serving(pins: &PinDir, attach: &[Attach]) -> Result<BTreeSet<u32>> {
    let pin = pins.map(map::GROUP);
    let groups = MapInfo::from_pin(&pin)
        .with_context(|| format!("cannot look at the pinned map {}", pin.display()))?
        .id();
    let wanted: BTreeSet<u32> = attach.iter().filter_map(program_on).collect();
    let mut over = BTreeSet::new();
    for program in loaded_programs().filter_map(Result::ok) {
        if !wanted.contains(&program.id()) {
            continue;
        }
        // One that has just been unloaded cannot be asked.
        let maps = program.map_ids().ok().flatten().unwrap_or_default();
        if maps.contains(&groups) {
            over.insert(program.id());
        }
    }
    let serves = |interface: &&Attach| program_on(interface).is_some_and(|id| over.contains(&id));
    let indices = attach.iter().filter(serves).map(|a| a.link.index);
    Ok(indices.collect())
}

fn program_on(interface: &Attach) -> Option<u32> {
    interface.link.xdp.map(|attached| attached.program)
}
