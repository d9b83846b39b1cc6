//! `ha_node`: the lease as the kernel has it.

use anyhow::{Context, Result};
use aya::maps::{Array, Map, MapData};
use ha_common::abi::Node;

/// The map.
pub struct NodeMap {
    map: Array<MapData, Node>,
}

super::opaque_debug!(NodeMap);

impl NodeMap {
    /// The map in `data`, whose shape must have been checked.
    ///
    /// # Errors
    /// If it is of the wrong kind or sizes.
    pub fn new(data: MapData) -> Result<Self> {
        Ok(Self {
            map: Map::from_map_data(data)?.try_into()?,
        })
    }

    /// The node as it is at this moment.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> Result<Node> {
        self.map.get(&0, 0).context("cannot read ha_node")
    }
}
