//! The Active test: two array lookups, and only for a frame that is for a virtual IP.

use ha_common::{
    abi::{GROUP_USED, Group},
    fence::{Standing, standing},
};

use crate::maps::Maps;

/// A group as a frame finds it.
pub(crate) struct Served {
    pub(crate) group: Group,
    pub(crate) standing: Standing,
}

impl Served {
    /// The group of a slot and what this node is for it now.
    #[inline(always)]
    pub(crate) fn read(maps: &Maps, slot: u32) -> Self {
        let group = maps.group(slot);
        let standing = standing(group.word, group.demoted, maps.lease());
        Self { group, standing }
    }

    /// Whether there is such a group.
    #[inline(always)]
    pub(crate) fn is_used(&self) -> bool {
        self.group.flags & GROUP_USED != 0
    }
}
