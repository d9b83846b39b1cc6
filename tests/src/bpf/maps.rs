//! The data path's maps, as a test fills and reads them.

use anyhow::{Context, Result};
use aya::{
    Pod,
    maps::{Array, DevMapHash, HashMap, Map, MapData, PerCpuArray, RingBuf},
};
use ha_common::abi::{
    Deliver, EchoPeer, Event, Group, Live, LivePeerKey, Mac, Node, Peer, Port, Reflector, Router,
    RouterKey, RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key, Vip6Key, map,
};

use super::DataPath;

impl DataPath {
    /// `ha_vip4`.
    ///
    /// # Errors
    ///
    /// When the object's map is another one than `ha_common::abi` says; so with all maps below.
    pub fn vip4(&mut self) -> Result<HashMap<&mut MapData, Vip4Key, Vip>> {
        Ok(self.map(map::VIP4)?.try_into()?)
    }

    /// `ha_vip6`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn vip6(&mut self) -> Result<HashMap<&mut MapData, Vip6Key, Vip>> {
        Ok(self.map(map::VIP6)?.try_into()?)
    }

    /// `ha_group`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn group(&mut self) -> Result<Array<&mut MapData, Group>> {
        self.array(map::GROUP)
    }

    /// `ha_node`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn node(&mut self) -> Result<Array<&mut MapData, Node>> {
        self.array(map::NODE)
    }

    /// `ha_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn peer(&mut self) -> Result<Array<&mut MapData, Peer>> {
        self.array(map::PEER)
    }

    /// `ha_peer_mac`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn peer_mac(&mut self) -> Result<HashMap<&mut MapData, Mac, u32>> {
        Ok(self.map(map::PEER_MAC)?.try_into()?)
    }

    /// `ha_router`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn router(&mut self) -> Result<HashMap<&mut MapData, RouterKey, Router>> {
        Ok(self.map(map::ROUTER)?.try_into()?)
    }

    /// `ha_vrrp_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn router_peer(&mut self) -> Result<HashMap<&mut MapData, RouterPeerKey, u32>> {
        Ok(self.map(map::ROUTER_PEER)?.try_into()?)
    }

    /// `ha_reflect`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn reflect(&mut self) -> Result<HashMap<&mut MapData, u32, Reflector>> {
        Ok(self.map(map::REFLECT)?.try_into()?)
    }

    /// `ha_live_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn live_peer(&mut self) -> Result<HashMap<&mut MapData, LivePeerKey, u32>> {
        Ok(self.map(map::LIVE_PEER)?.try_into()?)
    }

    /// `ha_live`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn live(&mut self) -> Result<Array<&mut MapData, Live>> {
        self.array(map::LIVE)
    }

    /// `ha_echo`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn echo(&mut self) -> Result<HashMap<&mut MapData, LivePeerKey, EchoPeer>> {
        Ok(self.map(map::ECHO)?.try_into()?)
    }

    /// `ha_port`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn ports(&mut self) -> Result<HashMap<&mut MapData, u32, Port>> {
        Ok(self.map(map::PORT)?.try_into()?)
    }

    /// `ha_stale`.
    ///
    /// # Errors
    ///
    /// When the object has no such map.
    pub fn stale(&mut self) -> Result<HashMap<&mut MapData, StaleKey, Stale>> {
        Ok(self.map(map::STALE)?.try_into()?)
    }

    /// `ha_deliver`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn deliver(&mut self) -> Result<Array<&mut MapData, Deliver>> {
        self.array(map::DELIVER)
    }

    /// `ha_dev`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn devices(&mut self) -> Result<DevMapHash<&mut MapData>> {
        Ok(self.map(map::DEV)?.try_into()?)
    }

    /// When each group last told of something; not part of the interface to the agent.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn limit(&mut self) -> Result<Array<&mut MapData, [u64; 2]>> {
        self.array("ha_limit")
    }

    /// Questions that were answered while a group moved; not part of the interface to the agent.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn asked(&mut self) -> Result<Array<&mut MapData, [u32; 6]>> {
        self.array("ha_asked")
    }

    /// `ha_reason` or `ha_stat` at `index`, the processors' counters added up.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn traffic(&self, name: &str, index: u32) -> Result<Traffic> {
        let map = self
            .ebpf
            .map(name)
            .with_context(|| format!("the BPF object has no map {name}"))?;
        let counters = PerCpuArray::<_, Traffic>::try_from(map)?;
        let mut sum = Traffic::default();
        for one in counters.get(&index, 0)?.iter() {
            sum.packets += one.packets;
            sum.bytes += one.bytes;
        }
        Ok(sum)
    }

    /// The records that are in the ring now; takes them out.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn events(&mut self) -> Result<Vec<Event>> {
        let mut ring = RingBuf::try_from(self.map(map::EVENT)?)?;
        let mut events = Vec::new();
        while let Some(record) = ring.next() {
            let record = <&[u8; Event::LEN]>::try_from(&*record)
                .context("a record of the ring is no event")?;
            events.push(Event::from_bytes(record));
        }
        Ok(events)
    }

    fn map(&mut self, name: &str) -> Result<&mut Map> {
        self.ebpf
            .map_mut(name)
            .with_context(|| format!("the BPF object has no map {name}"))
    }

    fn array<V: Pod>(&mut self, name: &str) -> Result<Array<&mut MapData, V>> {
        Ok(self.map(name)?.try_into()?)
    }
}
