//! From the maps of another schema to this agent's.
//!
//! Both are there side by side, each with a lease of its own, and each program in the kernel reads its own: so no
//! frame ever meets words of which some are of one schema and some of the other. First the own maps are filled,
//! and say Backup. Then a lease is granted for them; then their words say what the others do, under that
//! lease. Then each link is updated, and what the others say does not matter any more.

use std::{mem::replace, sync::Arc};

use anyhow::{Context, Result};
use aya::Ebpf;
use ha_common::{
    abi::{Demotion, MAX_GROUPS, MAX_PEERS, RoleWord, map},
    fence::{Standing, standing},
    lease::LeaseWord,
};

use super::{
    Attach, Dataplane, GroupMap, LeaseSwitch, Maps, PinDir, Programs, VipMaps, handle::Attached,
    load, maps, opaque_debug, pin::PinLock, predecessor::Other, schema::Foreign,
};
use crate::fault::{self, Point};

/// How far it has come.
#[derive(Debug, Default)]
pub(super) enum Crossing {
    /// The maps are of this agent's schema, and there is nothing else.
    #[default]
    None,
    /// The other's maps are in force.
    Begun(Begun),
    /// This agent's maps are in force; the other's groups can still have been taken back at the last moment.
    Done(Arc<GroupMap>),
}

/// What waits until it is in force.
pub(super) struct Begun {
    groups: Arc<GroupMap>,
    /// `None` once its programs are being loaded.
    pub(super) ebpf: Option<Ebpf>,
}

opaque_debug!(Begun);

impl Dataplane {
    /// The data path of another schema, with this agent's maps beside it.
    ///
    /// # Errors
    /// If these cannot be made.
    pub(super) fn beside(
        other: Other,
        pins: PinDir,
        lock: PinLock,
        attach: &[Attach],
    ) -> Result<Self> {
        // An agent may have been killed here before. Nothing on an interface needs what it made.
        if pins.path().exists() {
            pins.remove_schema()?;
        }
        pins.create()?;
        let ebpf = load::maps(&pins)?;
        fault::reached(Point::NewMaps);
        let own = Maps::open(&pins)?;
        let Other {
            maps: Foreign { groups, switch, .. },
            vips,
            peers,
            serving,
        } = other;
        let begun = Begun {
            groups: Arc::new(own.groups),
            ebpf: Some(ebpf),
        };
        let mut dataplane = Self {
            groups: Arc::new(groups),
            switch: Arc::new(switch),
            attached: Attached::new(attach, serving),
            vips: own.vips,
            known: vips,
            peers: own.peers,
            routers: own.routers,
            stats: own.stats,
            programs: None,
            crossing: Crossing::Begun(begun),
            pins,
            _lock: lock,
        };
        for (slot, peer) in peers.iter().filter(|(slot, _)| has_peer(*slot)) {
            dataplane.peers.put(*slot, *peer)?;
        }
        Ok(dataplane)
    }

    /// Whether the maps of another schema are still in force.
    #[must_use]
    pub const fn is_crossing(&self) -> bool {
        matches!(self.crossing, Crossing::Begun(_))
    }

    /// Has this agent's maps hold the groups that the others do, all as Backup. The virtual IPs came with the
    /// programs.
    pub fn carry_groups(&self) {
        let Crossing::Begun(begun) = &self.crossing else {
            return;
        };
        for slot in 0..MAX_GROUPS {
            begun.groups.carry(slot, &self.groups.group(slot));
        }
        fault::reached(Point::Carried);
    }

    /// The lease of this agent's schema, for which none has been granted.
    ///
    /// # Errors
    /// If its program or its map is not there.
    pub fn next_switch(&self) -> Result<LeaseSwitch> {
        LeaseSwitch::open(&self.pins)
    }

    /// Has this agent's words say what the others do under `lease`, if they stand, under the lease of the
    /// generation `next`.
    pub fn give_words(&self, lease: LeaseWord, next: u8) {
        let Crossing::Begun(begun) = &self.crossing else {
            return;
        };
        for slot in 0..MAX_GROUPS {
            let words = self.groups.group(slot);
            match standing(words.word, words.demoted, lease) {
                Standing::Active | Standing::Claiming => {
                    let peer = words.word.peer;
                    let word = RoleWord {
                        lease: next,
                        peer: if has_peer(peer) { peer } else { 0 },
                        ..words.word
                    };
                    begun.groups.store(slot, word);
                }
                Standing::Backup | Standing::Fenced(_) => {}
            }
        }
        fault::reached(Point::Worded);
    }

    /// Puts this agent's programs into all links. From then on its maps are in force.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn cross(&mut self, mut programs: Programs) -> Result<()> {
        programs.attach(&self.pins, &self.attached.wanted)?;
        self.programs = Some(programs);
        self.attached.serve_all();
        self.crossing = match replace(&mut self.crossing, Crossing::None) {
            Crossing::Begun(begun) => Crossing::Done(replace(&mut self.groups, begun.groups)),
            crossing @ (Crossing::None | Crossing::Done(_)) => crossing,
        };
        fault::reached(Point::Crossed);
        Ok(())
    }

    /// What the kernel took back in the other's maps.
    #[must_use]
    pub fn demotion_before(&self, slot: u32) -> Option<Demotion> {
        match &self.crossing {
            Crossing::Done(before) => Some(before.group(slot).demoted),
            Crossing::None | Crossing::Begun(_) => None,
        }
    }

    /// Removes what other schemas have left pinned.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn be_alone(&mut self) -> Result<()> {
        self.crossing = Crossing::None;
        for other in self.pins.others().context("cannot list the pins")? {
            tracing::info!(
                "removes what is left of another schema in {}",
                other.path().display()
            );
            other.remove_schema()?;
        }
        fault::reached(Point::Alone);
        Ok(())
    }
}

/// Puts virtual IPs into this agent's maps.
pub(super) fn carry_vips(
    pins: &PinDir,
    vips: impl IntoIterator<Item = (ha_core::plan::VipKey, ha_common::abi::Vip)>,
) -> Result<()> {
    let mut own = VipMaps::new(maps::open(pins, map::VIP4)?, maps::open(pins, map::VIP6)?)?;
    vips.into_iter()
        .try_for_each(|(key, vip)| own.put(key, vip))
}

fn has_peer(slot: u16) -> bool {
    u32::from(slot) < MAX_PEERS
}
