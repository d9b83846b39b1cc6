//! `ha_deliver` and `ha_dev`: the guests to which virtual IPs belong, and their interfaces.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aya::maps::{Array, Map, MapData, MapError, xdp::DevMapHash};
use ha_common::abi::{DELIVER_LOCAL, DELIVER_REDIRECTED, Deliver, MAX_DELIVER};

/// Both maps.
pub struct DeliverMaps {
    targets: Array<MapData, Deliver>,
    devices: DevMapHash<MapData>,
}

super::opaque_debug!(DeliverMaps);

impl DeliverMaps {
    /// The maps in `targets` and `devices`, whose shapes must have been checked.
    ///
    /// # Errors
    /// If one is of the wrong kind or sizes.
    pub fn new(targets: MapData, devices: MapData) -> Result<Self> {
        Ok(Self {
            targets: Map::from_map_data(targets)?.try_into()?,
            devices: Map::from_map_data(devices)?.try_into()?,
        })
    }

    /// The slots in use.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> Result<BTreeMap<u32, Deliver>> {
        let mut found = BTreeMap::new();
        // Slot 0 is the local stack, which is not looked up.
        for slot in 1..MAX_DELIVER {
            let target = self.targets.get(&slot, 0);
            let target = target.context("cannot read ha_deliver")?;
            if target.kind != DELIVER_LOCAL {
                found.insert(slot, target);
            }
        }
        Ok(found)
    }

    /// Writes a slot. `ifindex` is the interface to which frames are redirected, if they are.
    ///
    /// # Errors
    /// The kernel's, as if the interface has just gone.
    pub fn put(&mut self, slot: u32, target: Deliver, ifindex: u32) -> Result<()> {
        // No frame is redirected before there is where to.
        let is_redirected = target.flags & DELIVER_REDIRECTED != 0;
        if is_redirected {
            let inserted = self.devices.insert(slot, ifindex, None, 0);
            inserted.with_context(|| format!("cannot redirect to interface {ifindex}"))?;
        }
        let set = self.targets.set(slot, target, 0);
        set.with_context(|| format!("cannot store the delivery target {slot}"))?;
        if is_redirected {
            return Ok(());
        }
        self.remove_device(slot)
    }

    /// Frees a slot that no virtual IP names any more.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear(&mut self, slot: u32) -> Result<()> {
        let set = self.targets.set(slot, Deliver::default(), 0);
        set.with_context(|| format!("cannot clear the delivery target {slot}"))?;
        self.remove_device(slot)
    }

    /// One whose interface has gone was removed by the kernel.
    fn remove_device(&mut self, slot: u32) -> Result<()> {
        match self.devices.remove(slot) {
            Ok(()) | Err(MapError::KeyNotFound) => Ok(()),
            Err(MapError::SyscallError(error))
                if error.io_error.raw_os_error() == Some(libc::ENOENT) =>
            {
                Ok(())
            }
            Err(error) => Err(error).context("cannot change ha_dev"),
        }
    }
}
