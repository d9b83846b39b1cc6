//! What an agent of another schema has left.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, Result};
use aya::maps::MapData;
use ha_common::{
    abi::{Mac, Node, Peer, Vip, Vip4Key, Vip6Key, Vlan, map},
    lease::LeaseWord,
};
use ha_core::plan::VipKey;

use super::{
    fields::{Described, Fields, describe},
    sys,
};
use crate::dataplane::{
    GroupMap, LeaseSwitch, PinDir,
    group_map::{Layout, Place},
    maps, opaque_debug,
};

/// The maps of another agent, and its lease.
#[derive(Debug)]
pub(in crate::dataplane) struct Foreign {
    /// Where it is pinned.
    pub(in crate::dataplane) pins: PinDir,
    /// Who has which group.
    pub(in crate::dataplane) groups: GroupMap,
    /// Its lease, which its own program changes.
    pub(in crate::dataplane) switch: LeaseSwitch,
}

impl Foreign {
    /// Opens what is pinned.
    ///
    /// # Errors
    /// If something is missing, or has not the fields that it takes to go on.
    pub(in crate::dataplane) fn open(pins: PinDir) -> Result<Self> {
        let data = maps::open(&pins, map::GROUP)?;
        let described = describe(data.fd().as_fd()).context(map::GROUP)?;
        let layout = layout(&described).context(map::GROUP)?;
        let groups = GroupMap::with_layout(&data, layout)?;
        let node = ForeignNode::open(maps::open(&pins, map::NODE)?).context(map::NODE)?;
        let switch = LeaseSwitch::foreign(&pins, node)?;
        Ok(Self {
            groups,
            switch,
            pins,
        })
    }

    /// Which address belongs to which group.
    ///
    /// # Errors
    /// If a map is not there or has not these fields, or the kernel refuses.
    pub(in crate::dataplane) fn vips(&self) -> Result<BTreeMap<VipKey, Vip>> {
        let mut vips = BTreeMap::new();
        let mut read = |name, key_of: fn(&Fields, &[u8]) -> Result<VipKey>| {
            let data = maps::open(&self.pins, name)?;
            let map = Raw::new(&data)?;
            let key_fields = map
                .described
                .key
                .as_ref()
                .context("its keys have no fields")?;
            for (key, value) in map.elements()? {
                let group = u32::from_ne_bytes(map.fields()?.get(&value, "group")?);
                // Delivery slots are each schema's own: the plan brings this one's.
                vips.insert(key_of(key_fields, &key)?, Vip { group, deliver: 0 });
            }
            anyhow::Ok(())
        };
        read(map::VIP4, |fields, key| {
            let addr = fields.get(key, "addr")?;
            Ok(VipKey::V4(Vip4Key {
                addr,
                vlan: vlan(fields, key)?,
            }))
        })
        .context(map::VIP4)?;
        read(map::VIP6, |fields, key| {
            let addr = fields.get(key, "addr")?;
            Ok(VipKey::V6(Vip6Key {
                addr,
                vlan: vlan(fields, key)?,
            }))
        })
        .context(map::VIP6)?;
        Ok(vips)
    }

    /// The peers by slot.
    ///
    /// # Errors
    /// If the map is not there or has not these fields, or the kernel refuses.
    pub(in crate::dataplane) fn peers(&self) -> Result<Vec<(u16, Peer)>> {
        let data = maps::open(&self.pins, map::PEER)?;
        let map = Raw::new(&data).context(map::PEER)?;
        let mut peers = Vec::new();
        for slot in 1..u16::try_from(map.described.room).unwrap_or(u16::MAX) {
            let value = map
                .value(&u32::from(slot).to_ne_bytes())
                .context(map::PEER)?;
            let peer = Peer {
                mac: Mac(map.fields()?.get(&value, "mac")?),
                ifindex: u32::from_ne_bytes(map.fields()?.get(&value, "ifindex")?),
                addr: map.fields()?.get(&value, "addr")?,
                ..Peer::default()
            };
            if peer.mac != Mac::ZERO {
                peers.push((slot, peer));
            }
        }
        Ok(peers)
    }
}

/// The lease of another agent.
pub(in crate::dataplane) struct ForeignNode {
    data: MapData,
    described: Described,
}

opaque_debug!(ForeignNode);

impl ForeignNode {
    fn open(data: MapData) -> Result<Self> {
        let described = describe(data.fd().as_fd())?;
        let node = Self { data, described };
        node.read()?;
        Ok(node)
    }

    /// The lease at this moment. Of the rest there is what this agent asks for.
    ///
    /// # Errors
    /// If it has not these fields, or the kernel refuses.
    pub(in crate::dataplane) fn read(&self) -> Result<Node> {
        let fields = self.described.value.as_ref();
        let fields = fields.context("its values have no fields")?;
        let value = self.described.value(self.data.fd().as_fd(), &FIRST)?;
        let number = |name| anyhow::Ok(u64::from_ne_bytes(fields.get(&value, name)?));
        Ok(Node {
            lease: LeaseWord::from_bits(number("lease")?),
            length_ns: number("length_ns")?,
            renewed_ns: number("renewed_ns")?,
            lapsed_ns: number("lapsed_ns")?,
            ..Node::default()
        })
    }
}

/// The key of an array's first element.
const FIRST: [u8; 4] = 0_u32.to_ne_bytes();

fn vlan(fields: &Fields, key: &[u8]) -> Result<Vlan> {
    let [a, b, c, d] = fields.get(key, "vlan")?;
    Ok(Vlan {
        outer: u16::from_ne_bytes([a, b]),
        inner: u16::from_ne_bytes([c, d]),
    })
}

/// Where the fields of a group are in the other's map.
fn layout(described: &Described) -> Result<Layout> {
    let fields = described
        .value
        .as_ref()
        .context("its values have no fields")?;
    Layout::from_places(described.value_len, described.room, |place| {
        let Place { name, len, align } = place;
        fields.place(name, len, align)
    })
}

/// A map whose shape is known from its type information.
struct Raw<'a> {
    map: BorrowedFd<'a>,
    described: Described,
}

impl<'a> Raw<'a> {
    fn new(data: &'a MapData) -> Result<Self> {
        let map = data.fd().as_fd();
        let described = describe(map)?;
        Ok(Self { map, described })
    }

    fn fields(&self) -> Result<&Fields> {
        let fields = self.described.value.as_ref();
        fields.context("its values have no fields")
    }

    fn value(&self, key: &[u8]) -> Result<Vec<u8>> {
        self.described.value(self.map, key)
    }

    /// All keys and their values.
    fn elements(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut elements = Vec::new();
        let mut key: Option<Vec<u8>> = None;
        loop {
            let mut next = vec![0; self.described.key_len];
            if !sys::next_key(self.map, key.as_deref(), &mut next)? {
                return Ok(elements);
            }
            // Nobody writes: the other agent is gone, and the directory is locked.
            elements.push((next.clone(), self.value(&next)?));
            key = Some(next);
        }
    }
}
