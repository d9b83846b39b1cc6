//! From desired and actual map contents to the writes between them, in an order in which no address is
//! ever answered wrongly.
//!
//! After each single write, every address has its old meaning, its new one, or none: a group's fields
//! are written before an address points at it, a slot is given up only when none does any more, and
//! a slot that is given up is not given to another group by the same plan. The role words are not
//! touched: the election writes them. What is as desired is not written at all.

mod contents;
mod routers;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use ha_common::abi::{MAX_GROUPS, MAX_VIPS, Vip};

pub use self::contents::{
    Actual, Desired, DesiredVip, GroupFields, GroupName, NameError, VipKey, Write,
};
pub use self::routers::{RouterWrite, Routers};

/// The writes, and where the groups are after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be made in this order.
    pub writes: Vec<Write>,
    /// Slot in `ha_group` of each desired group.
    pub slots: BTreeMap<GroupName, u32>,
}

/// Why the desired state cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No free slot in `ha_group` is left.
    #[error(
        "{wanted} groups do not fit: the table holds {MAX_GROUPS}, and {busy} slots are still taken \
         by groups that are being removed; remove groups first, then add the new ones"
    )]
    TooManyGroups {
        /// Groups desired.
        wanted: usize,
        /// Slots of groups that are no longer desired, or whose role is not yet Backup.
        busy: usize,
    },
    /// More addresses of a family than its map holds.
    #[error("{wanted} IPv{family} virtual IPs do not fit: the table holds {MAX_VIPS}")]
    TooManyVips {
        /// 4 or 6.
        family: u8,
        /// Addresses desired.
        wanted: usize,
    },
    /// An address belongs to a group that is not desired.
    #[error("virtual IP {vip} belongs to group {group}, which does not exist")]
    UnknownGroup {
        /// The address.
        vip: VipKey,
        /// The group's name.
        group: GroupName,
    },
}

/// The writes that lead from `actual` to `desired`.
///
/// # Errors
/// [`PlanError`] if `desired` does not fit the tables or contradicts itself; nothing must be written
/// then.
pub fn plan(desired: &Desired, actual: &Actual) -> Result<Plan, PlanError> {
    check_vips(desired)?;
    let slots = slots::assign(desired, actual)?;
    let mut writes = Vec::new();

    // Removals first, so that the tables never hold more than the larger of both states.
    let is_obsolete = |key: &&VipKey| !desired.vips.contains_key(key);
    let obsolete = actual.vips.keys().filter(is_obsolete);
    writes.extend(obsolete.map(|&key| Write::RemoveVip { key }));

    for (name, &fields) in &desired.groups {
        let slot = slots[name];
        if actual.fields(slot) != Some((*name, fields)) {
            let name = *name;
            writes.push(Write::SetGroup { slot, name, fields });
        }
    }

    for (&key, wanted) in &desired.vips {
        let value = Vip {
            group: slots[&wanted.group],
            deliver: wanted.deliver,
        };
        if actual.vips.get(&key) != Some(&value) {
            writes.push(Write::PutVip { key, value });
        }
    }

    let kept: BTreeSet<u32> = slots.values().copied().collect();
    let given_up = actual.used_slots().filter(|slot| !kept.contains(slot));
    writes.extend(given_up.map(|slot| Write::ClearGroup { slot }));

    Ok(Plan { writes, slots })
}

fn check_vips(desired: &Desired) -> Result<(), PlanError> {
    let v4 = desired.vips.keys().filter(|key| key.is_v4()).count();
    let v6 = desired.vips.len() - v4;
    for (family, wanted) in [(4, v4), (6, v6)] {
        if wanted > MAX_VIPS as usize {
            return Err(PlanError::TooManyVips { family, wanted });
        }
    }
    let stray = desired
        .vips
        .iter()
        .find(|(_, vip)| !desired.groups.contains_key(&vip.group));
    match stray {
        Some((&vip, wanted)) => Err(PlanError::UnknownGroup {
            vip,
            group: wanted.group,
        }),
        None => Ok(()),
    }
}
