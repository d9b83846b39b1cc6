//! The agent before this one: whether it has left anything to go on with, and where.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use ha_common::{
    abi::{GROUP_USED, MAX_GROUPS, Peer, Vip, map, program},
    lease::LeaseState,
};
use ha_core::plan::{Actual, VipKey};

use super::{Attach, LeaseSwitch, Maps, PinDir, lease, load, schema::Foreign, serving::serving};

/// What there is to go on with.
#[derive(Debug)]
pub(super) enum Predecessor {
    /// Maps of this agent's schema.
    Same(BTreeSet<u32>),
    /// Maps of another one.
    Other(Box<Other>),
}

/// What another schema's maps hold.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) maps: Foreign,
    pub(super) vips: BTreeMap<VipKey, Vip>,
    pub(super) peers: Vec<(u16, Peer)>,
    /// Indices of the interfaces on which the data path works over them.
    pub(super) serving: BTreeSet<u32>,
}

impl Predecessor {
    /// Looks for an agent whose lease is still valid, and whose data path is on one of these interfaces. All
    /// other leases end: what they were granted for is not gone on with.
    ///
    /// # Errors
    /// If what is pinned for this schema is not what it should be.
    pub(super) fn find(pins: &PinDir, attach: &[Attach]) -> Result<Option<Self>> {
        if let Some(serving) = same(pins, attach)? {
            end_leases(pins, Some(pins))?;
            return Ok(Some(Self::Same(serving)));
        }
        for other in pins.others()? {
            match Other::read(&other, attach) {
                Ok(Some(found)) => {
                    end_leases(pins, Some(&other))?;
                    return Ok(Some(Self::Other(Box::new(found))));
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(
                    "what is pinned in {} is of another schema, and cannot be gone on with, so that all groups \
                     start as Backup: {error:#}",
                    other.path().display()
                ),
            }
        }
        Ok(None)
    }
}

/// The interfaces that an agent of this schema has left served.
fn same(pins: &PinDir, attach: &[Attach]) -> Result<Option<BTreeSet<u32>>> {
    if !pins.program(program::LEASE).exists() {
        return Ok(None);
    }
    load::check(pins)?;
    // One that was killed while it made them has made none of these.
    if !map::ALL.iter().all(|name| pins.map(name).exists()) {
        return Ok(None);
    }
    let serving = serving(pins, attach)?;
    let is_alive = !serving.is_empty() && is_valid(&LeaseSwitch::open(pins)?)?;
    Ok(is_alive.then_some(serving))
}

impl Other {
    fn read(pins: &PinDir, attach: &[Attach]) -> Result<Option<Self>> {
        if !pins.program(program::LEASE).exists() || !pins.map(map::GROUP).exists() {
            return Ok(None);
        }
        let serving = serving(pins, attach)?;
        if serving.is_empty() {
            return Ok(None);
        }
        let maps = Foreign::open(pins.clone())?;
        if !is_valid(&maps.switch)? {
            return Ok(None);
        }
        let groups = maps.groups.groups();
        let beyond = groups.iter().skip(MAX_GROUPS as usize);
        ensure!(
            beyond.clone().all(|group| group.flags & GROUP_USED == 0),
            "it has a group in a slot that this agent has not"
        );
        Ok(Some(Self {
            vips: maps.vips()?,
            peers: maps.peers()?,
            maps,
            serving,
        }))
    }
}

fn is_valid(switch: &LeaseSwitch) -> Result<bool> {
    let lease = switch.node()?.lease;
    Ok(LeaseState::from_u8(lease.state) == LeaseState::Valid)
}

/// Ends the leases of all schemas but one.
///
/// # Errors
/// If the pins cannot be listed.
pub(super) fn end_leases(pins: &PinDir, kept: Option<&PinDir>) -> Result<()> {
    let all = pins.others()?.into_iter().chain([pins.clone()]);
    for other in all.filter(|other| Some(other) != kept) {
        if !other.program(program::LEASE).exists() {
            continue;
        }
        if let Err(error) = lease::end(&other) {
            tracing::warn!(
                "cannot end the lease in {}, which ends by itself: {error:#}",
                other.path().display()
            );
        }
    }
    Ok(())
}

/// Groups and virtual IPs of every schema of which something is pinned.
///
/// # Errors
/// If the pins cannot be listed; that maps cannot be read is told in place of what they hold.
pub fn pinned_contents(pins: &PinDir) -> Result<Vec<Result<Actual>>> {
    let own = || {
        let maps = Maps::open(pins)?;
        Ok(Actual {
            groups: maps.groups.groups(),
            vips: maps.tables.vips.read()?,
        })
    };
    let foreign = |other| {
        let maps = Foreign::open(other)?;
        Ok(Actual {
            groups: maps.groups.groups(),
            vips: maps.vips()?,
        })
    };
    let mut contents: Vec<_> = pins.others()?.into_iter().map(foreign).collect();
    contents.extend(pins.path().exists().then(own));
    Ok(contents)
}
