//! Ethernet II with IEEE 802.1Q tags.

use core::mem::size_of;

use crate::abi::Mac;

/// EtherType of IPv4 (RFC 894).
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of ARP (RFC 826).
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// EtherType of IPv6 (RFC 2464 section 3).
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
/// EtherType of a customer VLAN tag (IEEE 802.1Q).
pub const ETHERTYPE_VLAN: u16 = 0x8100;
/// EtherType of a service VLAN tag (IEEE 802.1ad).
pub const ETHERTYPE_SERVICE_VLAN: u16 = 0x88a8;

/// Bits of [`Tag::control`] that are the VLAN id; the upper four are priority and drop eligibility.
pub const VLAN_ID_MASK: u16 = 0x0fff;

/// The header of every frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Header {
    /// Destination.
    pub dst: Mac,
    /// Source.
    pub src: Mac,
    /// What follows: an `ETHERTYPE_*`, network order.
    pub ethertype: [u8; 2],
}

/// A VLAN tag, as it follows an EtherType that announces it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Tag {
    /// Priority, drop eligibility and VLAN id, network order.
    pub control: [u8; 2],
    /// What follows: an `ETHERTYPE_*`, network order.
    pub ethertype: [u8; 2],
}

impl Tag {
    /// The VLAN id; 0 in a tag that carries only a priority.
    #[must_use]
    #[inline(always)]
    pub const fn vlan_id(self) -> u16 {
        u16::from_be_bytes(self.control) & VLAN_ID_MASK
    }
}

impl Mac {
    /// Everybody.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// No address.
    pub const ZERO: Self = Self([0; 6]);

    /// Whether it is a multicast address, broadcast included: it names no single station.
    #[must_use]
    #[inline(always)]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Whether it can be the address of a station.
    #[must_use]
    #[inline(always)]
    pub fn is_station(self) -> bool {
        !self.is_multicast() && self != Self::ZERO
    }
}

const _: () = {
    assert!(size_of::<Header>() == 14);
    assert!(size_of::<Tag>() == 4);
};

#[cfg(test)]
mod tests {
    use super::{Mac, Tag};

    #[test]
    fn priority_is_not_part_of_the_vlan_id() {
        let tag = Tag {
            control: [0xf0, 0x2a],
            ethertype: [0x08, 0x00],
        };
        assert_eq!(tag.vlan_id(), 42);
    }

    #[test]
    fn only_a_unicast_address_names_a_station() {
        assert!(Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x33]).is_station());
        assert!(!Mac([0x33, 0x33, 0, 0, 0, 1]).is_station());
        assert!(!Mac::BROADCAST.is_station());
        assert!(!Mac::ZERO.is_station());
    }
}
