//! `ha_router` and `ha_vrrp_peer`: whose advertisements silence this node.

use anyhow::{Context, Result};
use aya::maps::{HashMap, Map, MapData, MapError};
use ha_common::abi::{MAX_ROUTER_PEERS, Router, RouterKey, RouterPeerKey};
use ha_core::plan::{RouterWrite, Routers};

/// What the values of `ha_vrrp_peer` are.
const LISTED: u32 = 1;

/// Both maps.
pub struct RouterMaps {
    routers: HashMap<MapData, RouterKey, Router>,
    peers: HashMap<MapData, RouterPeerKey, u32>,
}

super::opaque_debug!(RouterMaps);

impl RouterMaps {
    /// The maps in `routers` and `peers`, whose shapes must have been checked.
    ///
    /// # Errors
    /// If one is not a hash of the right sizes.
    pub fn new(routers: MapData, peers: MapData) -> Result<Self> {
        Ok(Self {
            routers: Map::from_map_data(routers)?.try_into()?,
            peers: Map::from_map_data(peers)?.try_into()?,
        })
    }

    /// Everything that they hold.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> Result<Routers> {
        let routers = self.routers.iter().collect::<Result<_, MapError>>();
        let peers = self.peers.keys().collect::<Result<_, MapError>>();
        Ok(Routers {
            routers: routers.context("cannot read ha_router")?,
            peers: peers.context("cannot read ha_vrrp_peer")?,
        })
    }

    /// Makes them hold `desired`, by the writes in which it differs.
    ///
    /// # Errors
    /// The kernel's, at the first write that it refuses.
    pub fn set(&mut self, desired: &Routers) -> Result<()> {
        let actual = self.read()?;
        for write in desired.writes_from(&actual) {
            match write {
                RouterWrite::Remove(key) => {
                    self.routers
                        .remove(&key)
                        .context("cannot change ha_router")?;
                }
                RouterWrite::Put(key, router) => {
                    let put = self.routers.insert(key, router, 0);
                    put.with_context(|| format!("cannot store the virtual router {}", key.vrid))?;
                }
                RouterWrite::PutPeer(key) => {
                    let put = self.peers.insert(key, LISTED, 0);
                    put.with_context(|| {
                        format!("cannot store a VRRP peer: there is room for {MAX_ROUTER_PEERS}")
                    })?;
                }
                RouterWrite::RemovePeer(key) => {
                    self.peers
                        .remove(&key)
                        .context("cannot change ha_vrrp_peer")?;
                }
            }
        }
        Ok(())
    }
}
