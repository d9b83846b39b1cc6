//! By what numbers nodes and their groups are asked for.

use ha_common::abi::Vlan;

/// A discriminator (RFC 7880 section 4): never zero. Both ends derive it from the node's name, so there is
/// nothing to configure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Discriminator(u32);

/// A group, as all nodes know it: their names for it may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    /// Tags of its network.
    pub vlan: Vlan,
    /// Its virtual router id.
    pub vrid: u8,
}

impl Discriminator {
    /// Of the node of this name.
    #[must_use]
    pub fn of_node(name: &str) -> Self {
        Self(hash(OFFSET, name.as_bytes()))
    }

    /// Of one of its groups.
    #[must_use]
    pub fn of_group(self, router: Router) -> Self {
        let Router { vlan, vrid } = router;
        let [a, b] = vlan.outer.to_be_bytes();
        let [c, d] = vlan.inner.to_be_bytes();
        Self(hash(self.0, &[a, b, c, d, vrid]))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// FNV-1a.
const OFFSET: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

fn hash(start: u32, octets: &[u8]) -> u32 {
    let step = |hash: u32, octet: &u8| (hash ^ u32::from(*octet)).wrapping_mul(PRIME);
    octets.iter().fold(start, step).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Discriminator, Router, Vlan};

    #[test]
    fn nodes_and_groups_are_told_apart() {
        let mut seen = BTreeSet::new();
        for name in ["alpha", "beta", "a", "b", ""] {
            let node = Discriminator::of_node(name);
            seen.insert(node);
            for vrid in 1..=u8::MAX {
                for outer in [0, 100] {
                    let vlan = Vlan { outer, inner: 0 };
                    seen.insert(node.of_group(Router { vlan, vrid }));
                }
            }
        }
        assert_eq!(seen.len(), 5 * (1 + 2 * 255));
    }
}
