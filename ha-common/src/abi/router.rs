//! Virtual routers: by what the kernel program knows an advertisement for one of the groups, and when
//! it outranks this node.

use super::Vlan;
use crate::wire::vrrp::PRIORITY_RELEASE;

/// Virtual routers a node can hold: each group has at most one for each family. Sizes `ha_router`.
pub const MAX_ROUTERS: u32 = 2 * super::MAX_GROUPS;
/// Configured peers of all virtual routers together. Sizes `ha_vrrp_peer`.
pub const MAX_ROUTER_PEERS: u32 = 16 * super::MAX_GROUPS;

/// [`RouterKey::ip`] over IPv4.
pub const ROUTER_V4: u8 = 4;
/// [`RouterKey::ip`] over IPv6.
pub const ROUTER_V6: u8 = 6;

/// Key of `ha_router`: where an advertisement came in, and what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct RouterKey {
    /// The interface.
    pub ifindex: u32,
    /// VLAN tags of the frame.
    pub vlan: Vlan,
    /// Version of IP: a virtual router of one family is another one than that of the other (RFC 9568
    /// section 5.2.3).
    pub ip: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Padding.
    pub pad: [u8; 2],
}

/// [`Router::flags`]: there are configured peers. Only theirs count, and they may be sent to this node
/// alone.
pub const ROUTER_UNICAST: u8 = 1 << 0;
/// [`Router::flags`]: between equal priorities the greater address decides in this family.
pub const ROUTER_BY_ADDRESS: u8 = 1 << 1;

/// Value of `ha_router`: this node as a virtual router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Router {
    /// Index into `ha_group`.
    pub group: u32,
    /// Version of VRRP that is spoken.
    pub version: u8,
    /// The interval of version 2, seconds, which is the same on all its routers; 0 in version 3.
    pub seconds: u8,
    /// `ROUTER_*` bits.
    pub flags: u8,
    /// Padding.
    pub pad: u8,
    /// The own address from which the group is advertised, v4 as v4-mapped v6.
    pub addr: [u8; 16],
}

impl Router {
    /// Whether a node that advertises `priority` from `from` is to be Active rather than this one, which
    /// advertises `own` (RFC 9568 section 6.4.3).
    #[must_use]
    #[inline(always)]
    pub const fn is_outranked(&self, own: u8, priority: u8, from: [u8; 16]) -> bool {
        if priority == own {
            let is_greater = u128::from_be_bytes(from) > u128::from_be_bytes(self.addr);
            return self.flags & ROUTER_BY_ADDRESS != 0
                && is_greater
                && priority != PRIORITY_RELEASE;
        }
        priority > own
    }
}

/// Key of `ha_vrrp_peer`, of which the values mean nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct RouterPeerKey {
    /// Index into `ha_group`.
    pub group: u32,
    /// Address from which the peer advertises, v4 as v4-mapped v6.
    pub addr: [u8; 16],
}

#[cfg(test)]
mod tests {
    use super::{ROUTER_BY_ADDRESS, Router};

    const LOWER: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 1, 255];
    const OWN: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1];
    const GREATER: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 2];

    const fn router(flags: u8) -> Router {
        Router {
            group: 0,
            version: 3,
            seconds: 0,
            flags,
            pad: 0,
            addr: OWN,
        }
    }

    #[test]
    fn priority_decides_before_the_address() {
        for flags in [0, ROUTER_BY_ADDRESS] {
            for from in [LOWER, OWN, GREATER] {
                assert!(router(flags).is_outranked(100, 101, from));
                assert!(!router(flags).is_outranked(100, 99, from));
                assert!(!router(flags).is_outranked(100, 0, from));
            }
        }
    }

    #[test]
    fn the_greater_address_decides_where_it_counts() {
        let outranked = |flags, from| router(flags).is_outranked(100, 100, from);
        assert!(outranked(ROUTER_BY_ADDRESS, GREATER));
        assert!(!outranked(ROUTER_BY_ADDRESS, OWN));
        assert!(!outranked(ROUTER_BY_ADDRESS, LOWER));
        assert!(!outranked(0, GREATER));
    }

    #[test]
    fn who_lets_go_outranks_nobody() {
        assert!(!router(ROUTER_BY_ADDRESS).is_outranked(0, 0, GREATER));
    }
}
