//! `ha_reflect`, `ha_live_peer` and `ha_live`: for what this node answers liveness probes, and what it has
//! heard of its peers.
#![expect(unsafe_code, reason = "a map is memory that is shared with the kernel")]

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::size_of,
    os::fd::{AsFd, AsRawFd},
    ptr::{read_volatile, write_volatile},
};

use anyhow::{Context, Result, ensure};
use aya::maps::{HashMap, Map, MapData, MapError};
use ha_common::abi::{Live, LivePeerKey, MAX_LIVE, Reflector, Reply, map};
use memmap2::{MmapOptions, MmapRaw};

use super::{PinDir, maps::open};

/// What a node answers for, and whom it watches over which slot of `ha_live`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liveness {
    /// By discriminator.
    pub reflectors: BTreeMap<u32, Reflector>,
    /// By where they are; with the slot the upper bits of the discriminators that ask.
    pub paths: BTreeMap<LivePeerKey, (u32, u32)>,
}

/// The stamps, memory-mapped. Several may exist, also in other processes; the kernel writes it.
#[derive(Debug)]
pub struct Stamps {
    memory: MmapRaw,
}

impl Stamps {
    /// Maps `ha_live`, and has all maps hold what is desired. Of what is in the `fresh` slots nothing has been heard.
    ///
    /// # Errors
    /// If a map is not there or not as it should be, or the kernel refuses.
    pub fn open(pins: &PinDir, desired: &Liveness, fresh: &BTreeSet<u32>) -> Result<Self> {
        let data = open(pins, map::LIVE)?;
        let len = MAX_LIVE as usize * size_of::<Live>();
        let memory = MmapOptions::new()
            .len(len)
            .map_raw(data.fd().as_fd().as_raw_fd())
            .context("cannot map ha_live into memory")?;
        ensure!(memory.len() >= len, "ha_live is too small");
        let stamps = Self { memory };
        let mut reflectors: HashMap<_, u32, Reflector> =
            Map::from_map_data(open(pins, map::REFLECT)?)?.try_into()?;
        let mut paths: HashMap<_, LivePeerKey, u32> =
            Map::from_map_data(open(pins, map::LIVE_PEER)?)?.try_into()?;
        let slots = desired.paths.iter().map(|(key, (slot, _))| (*key, *slot));
        only(&mut reflectors, &desired.reflectors)?;
        let sessions = desired.paths.values();
        for (slot, session) in sessions.filter(|(slot, _)| fresh.contains(slot)) {
            stamps.begin(*slot, *session);
        }
        only(&mut paths, &slots.collect())?;
        Ok(stamps)
    }

    /// What has been heard over a path. Each field is read whole, the stamp before what it is the stamp of
    /// may have been replaced.
    #[must_use]
    pub fn heard(&self, slot: u32) -> Live {
        let live = self.element(slot);
        // SAFETY: `element` points at a live, aligned `Live` of shared memory, for which every bit
        // pattern is a value; volatile reads make no assumption about who else writes.
        unsafe {
            Live {
                replied_ns: read_volatile(&raw const (*live).replied_ns),
                reply: Reply::from_bits(read_volatile((&raw const (*live).reply).cast())),
                asked_ns: read_volatile(&raw const (*live).asked_ns),
                replies: read_volatile(&raw const (*live).replies),
                requests: read_volatile(&raw const (*live).requests),
                session: read_volatile(&raw const (*live).session),
                view: read_volatile(&raw const (*live).view),
            }
        }
    }

    /// A new session in a slot, of which nothing has been heard.
    fn begin(&self, slot: u32, session: u32) {
        let live = self.element(slot);
        let fresh = Live {
            session,
            ..Live::default()
        };
        // SAFETY: as in `heard`. What the kernel writes at the same moment is of the session before.
        unsafe { write_volatile(live, fresh) };
    }

    fn element(&self, slot: u32) -> *mut Live {
        assert!(slot < MAX_LIVE, "slot {slot} is outside of ha_live");
        // SAFETY: `open` checked that the mapping has room for `MAX_LIVE` elements, and it starts at a
        // page, so the element is inside and aligned.
        unsafe { self.memory.as_mut_ptr().cast::<Live>().add(slot as usize) }
    }
}

/// Makes a map hold just these entries.
pub(super) fn only<K: aya::Pod + Ord, V: aya::Pod>(
    map: &mut HashMap<MapData, K, V>,
    desired: &BTreeMap<K, V>,
) -> Result<()> {
    let found: Vec<K> = map.keys().collect::<Result<_, MapError>>()?;
    for key in found.iter().filter(|key| !desired.contains_key(key)) {
        map.remove(key)?;
    }
    for (key, value) in desired {
        map.insert(key, value, 0)?;
    }
    Ok(())
}
