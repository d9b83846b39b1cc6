//! Which slot of `ha_group` a group has.

use std::collections::{BTreeMap, BTreeSet};

use ha_common::abi::{Group, MAX_GROUPS, Role};

use super::{
    PlanError,
    contents::{Actual, Desired, GroupName, is_used},
};

/// The slot of each desired group: the one it has, or a free one.
///
/// A free slot whose role word is not Backup is passed over: a group was removed there and its
/// election has not stopped yet.
pub(super) fn assign(
    desired: &Desired,
    actual: &Actual,
) -> Result<BTreeMap<GroupName, u32>, PlanError> {
    let mut slots = BTreeMap::new();
    for slot in actual.used_slots().filter(|&slot| slot < MAX_GROUPS) {
        if let Some((name, _)) = actual.fields(slot)
            && desired.groups.contains_key(&name)
        {
            slots.entry(name).or_insert(slot);
        }
    }
    let taken: BTreeSet<u32> = slots.values().copied().collect();
    let mut free = (0..MAX_GROUPS)
        .filter(|slot| !taken.contains(slot) && is_free(actual.groups.get(*slot as usize)));
    for &name in desired.groups.keys() {
        if slots.contains_key(&name) {
            continue;
        }
        let Some(slot) = free.next() else {
            return Err(too_many(desired, actual, &taken));
        };
        slots.insert(name, slot);
    }
    Ok(slots)
}

fn is_free(group: Option<&Group>) -> bool {
    group.is_none_or(|group| !is_used(group) && Role::from_u8(group.word.role) == Role::Backup)
}

fn too_many(desired: &Desired, actual: &Actual, taken: &BTreeSet<u32>) -> PlanError {
    let busy = (0..)
        .zip(&actual.groups)
        .filter(|(slot, group)| !taken.contains(slot) && !is_free(Some(group)));
    PlanError::TooManyGroups {
        wanted: desired.groups.len(),
        busy: busy.count(),
    }
}
