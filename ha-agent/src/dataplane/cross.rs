//! From the maps of another schema to this agent's.
//!
//! Both are there side by side, each with a lease of its own, and each program in the kernel reads its own: so no
//! frame ever meets words of which some are of one schema and some of the other. First the own maps are filled,
//! and say Backup. Then a lease is granted for them; then their words say what the others do, under that
//! lease. Then each link is updated, and what the others say does not matter any more.

use std::{collections::BTreeMap, mem::replace, sync::Arc};

use anyhow::{Context, Result};
use ha_common::{
    abi::{Demotion, EchoPeer, LivePeerKey, MAX_GROUPS, MAX_PEERS, Peer, RoleWord, Vip, map},
    fence::{Standing, standing},
    lease::LeaseWord,
};
use ha_core::plan::VipKey;

use super::{
    Attach, Dataplane, GroupMap, LeaseSwitch, Maps, PinDir, Programs, VipMaps, attached::Attached,
    echo, load, maps, pin::PinLock, predecessor::Other, schema::Foreign,
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

/// What is kept until there are maps for it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) peers: Vec<(u16, Peer)>,
    pub(super) echoes: BTreeMap<LivePeerKey, EchoPeer>,
    /// This agent's groups, which no program on an interface knows yet; `None` before they are made.
    groups: Option<Arc<GroupMap>>,
}

impl Dataplane {
    /// The data path of another schema.
    pub(super) fn beside(other: Other, pins: PinDir, lock: PinLock, attach: &[Attach]) -> Self {
        let Other {
            maps: Foreign { groups, switch, .. },
            vips,
            peers,
            serving,
        } = other;
        let begun = Begun {
            peers,
            echoes: BTreeMap::new(),
            groups: None,
        };
        Self {
            groups: Arc::new(groups),
            switch: Arc::new(switch),
            attached: Attached::new(attach, serving),
            own: None,
            known: vips,
            programs: None,
            crossing: Crossing::Begun(begun),
            pins,
            _lock: lock,
        }
    }

    /// Whether the maps of another schema are still in force.
    #[must_use]
    pub const fn is_crossing(&self) -> bool {
        matches!(self.crossing, Crossing::Begun(_))
    }

    /// Opens this agent's maps, which came with the programs, and has them hold what the others do, all groups as
    /// Backup.
    ///
    /// # Errors
    /// If a map is not there, or the kernel refuses.
    pub fn carry(&mut self) -> Result<()> {
        let Crossing::Begun(begun) = &mut self.crossing else {
            return Ok(());
        };
        let Maps {
            groups,
            tables: mut own,
            ..
        } = Maps::open(&self.pins)?;
        for (slot, peer) in begun.peers.iter().filter(|(slot, _)| has_peer(*slot)) {
            own.peers.put(*slot, *peer)?;
        }
        echo::set(&self.pins, &begun.echoes)?;
        for slot in 0..MAX_GROUPS {
            groups.carry(slot, &self.groups.group(slot));
        }
        begun.groups = Some(Arc::new(groups));
        self.own = Some(own);
        fault::reached(Point::Carried);
        Ok(())
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
        let Crossing::Begun(Begun {
            groups: Some(own), ..
        }) = &self.crossing
        else {
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
                    own.store(slot, word);
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
        if let Crossing::Begun(Begun {
            groups: Some(own), ..
        }) = replace(&mut self.crossing, Crossing::None)
        {
            self.crossing = Crossing::Done(replace(&mut self.groups, own));
        }
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

/// Makes this agent's maps anew, with these virtual IPs, and loads its programs over them.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn load_beside(
    pins: &PinDir,
    vips: BTreeMap<VipKey, Vip>,
    attach: &[Attach],
) -> Result<Programs> {
    // An agent may have been killed here before. Nothing that is in force needs what it made.
    if pins.path().exists() {
        pins.remove_schema()?;
    }
    pins.create()?;
    let ebpf = load::maps(pins)?;
    fault::reached(Point::NewMaps);
    let mut own = VipMaps::new(maps::open(pins, map::VIP4)?, maps::open(pins, map::VIP6)?)?;
    for (key, vip) in vips {
        own.put(key, vip)?;
    }
    Programs::load(ebpf, pins, attach)
}

fn has_peer(slot: u16) -> bool {
    u32::from(slot) < MAX_PEERS
}
