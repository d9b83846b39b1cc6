//! `ha_peer` and `ha_peer_mac`: where stale traffic goes, and where it must not come from.

use anyhow::{Context, Result};
use aya::maps::{Array, HashMap, Map, MapData, MapError};
use ha_common::abi::{MAX_PEERS, Mac, Peer};

/// Both maps.
pub struct PeerMaps {
    peers: Array<MapData, Peer>,
    by_mac: HashMap<MapData, Mac, u32>,
}

super::opaque_debug!(PeerMaps);

impl PeerMaps {
    /// The maps in `peers` and `by_mac`, whose shapes must have been checked.
    ///
    /// # Errors
    /// If one is of the wrong kind or sizes.
    pub fn new(peers: MapData, by_mac: MapData) -> Result<Self> {
        Ok(Self {
            peers: Map::from_map_data(peers)?.try_into()?,
            by_mac: Map::from_map_data(by_mac)?.try_into()?,
        })
    }

    /// The peer in a slot; all zeros if there is none.
    ///
    /// # Errors
    /// The kernel's.
    pub fn get(&self, slot: u16) -> Result<Peer> {
        self.peers
            .get(&u32::from(slot), 0)
            .context("cannot read ha_peer")
    }

    /// All peers by slot.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> Result<Vec<(u16, Peer)>> {
        let macs = self.by_mac.iter().collect::<Result<Vec<_>, MapError>>();
        let mut slots: Vec<_> = macs
            .context("cannot read ha_peer_mac")?
            .into_iter()
            .filter_map(|(_, slot)| u16::try_from(slot).ok())
            .collect();
        slots.sort_unstable();
        slots.dedup();
        let peers = slots.into_iter().map(|slot| Ok((slot, self.get(slot)?)));
        peers.collect()
    }

    /// Puts a peer into a slot that no role word names. From then on frames from its MAC are not
    /// sent on again.
    ///
    /// # Errors
    /// The kernel's.
    pub fn put(&mut self, slot: u16, peer: Peer) -> Result<()> {
        let slot = u32::from(slot);
        self.peers
            .set(slot, peer, 0)
            .and_then(|()| self.by_mac.insert(peer.mac, slot, 0))
            .with_context(|| format!("cannot store the peer with MAC {}", peer.mac))
    }

    /// Forgets the peer in a slot that no role word of a group names.
    ///
    /// # Errors
    /// The kernel's.
    pub fn remove(&mut self, slot: u16) -> Result<()> {
        let mac = self.get(slot)?.mac;
        match self.by_mac.remove(&mac) {
            Ok(()) | Err(MapError::KeyNotFound) => {}
            Err(error) => return Err(error).context("cannot change ha_peer_mac"),
        }
        self.peers
            .set(u32::from(slot), Peer::default(), 0)
            .context("cannot change ha_peer")
    }

    /// Forgets all peers.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear(&mut self) -> Result<()> {
        let macs: Vec<_> = self.by_mac.keys().filter_map(Result::ok).collect();
        for mac in macs {
            self.by_mac
                .remove(&mac)
                .context("cannot clear ha_peer_mac")?;
        }
        for slot in 1..MAX_PEERS {
            self.peers
                .set(slot, Peer::default(), 0)
                .context("cannot clear ha_peer")?;
        }
        Ok(())
    }
}
