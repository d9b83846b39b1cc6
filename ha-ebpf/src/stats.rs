//! Counting: each frame for a virtual IP once by its reason, and once by group and verdict.

use ha_common::{
    abi::{MAX_GROUPS, stat_index},
    reason::Reason,
};

use crate::maps::Maps;

/// Counts a frame. A group that does not exist has no counters; the reason is counted all the same.
#[inline(always)]
pub(crate) fn count(maps: &mut Maps, group: u32, reason: Reason, len: usize) {
    let bytes = len as u64;
    maps.count_reason(reason as u32, bytes);
    if group < MAX_GROUPS {
        maps.count_stat(stat_index(group, reason.verdict()), bytes);
    }
}
