//! `ha_port`: which interfaces are ports of the bonds that the data path is on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aya::maps::{HashMap, Map};
use ha_common::abi::{Port, map};

use super::{PinDir, live::only, maps::open};

/// Has the map hold these ports.
///
/// # Errors
/// If it is not there or not as it should be, there is no room, or the kernel refuses.
pub(super) fn set(pins: &PinDir, desired: &BTreeMap<u32, Port>) -> Result<()> {
    let mut ports: HashMap<_, u32, Port> =
        Map::from_map_data(open(pins, map::PORT)?)?.try_into()?;
    only(&mut ports, desired).context("cannot change ha_port")
}
