//! Counting: each frame for a virtual IP once by its reason, and once by group and verdict.

use ha_common::abi::{MAX_GROUPS, stat_index};

use crate::{End, maps::Maps};

/// Counts a frame. A group that does not exist has no counters; the reason is counted all the same.
#[inline(always)]
pub(crate) fn count(maps: &mut Maps, end: &End) {
    maps.count_reason(end.reason as u32, end.len as u64);
    if end.group < MAX_GROUPS {
        maps.count_stat(stat_index(end.group, end.reason.verdict()), end.len as u64);
    }
}
