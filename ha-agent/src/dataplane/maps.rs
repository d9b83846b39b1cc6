//! All maps, by their pins.

use anyhow::{Context, Result};
use aya::maps::MapData;
use ha_common::abi::map;

use super::{
    DeliverMaps, GroupMap, NodeMap, PeerMaps, PinDir, RouterMaps, StaleMap, StatMaps, VipMaps,
};

/// All maps but the events.
#[derive(Debug)]
pub struct Maps {
    /// Who has which group.
    pub groups: GroupMap,
    /// The lease.
    pub node: NodeMap,
    /// All others.
    pub tables: Tables,
}

/// The maps that are written to once in a while.
#[derive(Debug)]
pub struct Tables {
    /// Which address belongs to which group.
    pub vips: VipMaps,
    /// The peers.
    pub peers: PeerMaps,
    /// Whose advertisements silence this node.
    pub routers: RouterMaps,
    /// The guests.
    pub deliver: DeliverMaps,
    /// Who still uses this node.
    pub stale: StaleMap,
    /// The counters.
    pub stats: StatMaps,
}

impl Maps {
    /// Opens what is pinned. Shapes must have been checked if something is to be written.
    ///
    /// # Errors
    /// If a map is not there or not of the right kind.
    pub fn open(pins: &PinDir) -> Result<Self> {
        let open = |name: &str| open(pins, name);
        Ok(Self {
            groups: GroupMap::new(&open(map::GROUP)?)?,
            node: NodeMap::new(open(map::NODE)?)?,
            tables: Tables {
                vips: VipMaps::new(open(map::VIP4)?, open(map::VIP6)?)?,
                peers: PeerMaps::new(open(map::PEER)?, open(map::PEER_MAC)?)?,
                routers: RouterMaps::new(open(map::ROUTER)?, open(map::ROUTER_PEER)?)?,
                deliver: DeliverMaps::new(open(map::DELIVER)?, open(map::DEV)?)?,
                stale: StaleMap::new(open(map::STALE)?)?,
                stats: StatMaps::new(open(map::STAT)?, open(map::REASON)?)?,
            },
        })
    }
}

/// The pinned map of this name.
pub(super) fn open(pins: &PinDir, name: &str) -> Result<MapData> {
    let pin = pins.map(name);
    MapData::from_pin(&pin).with_context(|| {
        format!(
            "cannot open the pinned map {}: has the agent run with this pin directory?",
            pin.display()
        )
    })
}
