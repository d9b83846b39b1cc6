//! Who has which address in the lab.
//!
//! | what | v4 | v6 |
//! |---|---|---|
//! | nodes | 10.77.0.1, 10.77.0.2, … | fd77::1, fd77::2, … |
//! | client | 10.77.0.100 | fd77::100 |
//! | guests | 10.77.1.0 onwards | fd77::3:0 onwards |
//! | virtual IPs | 10.77.64.1 onwards | fd77::1:1 onwards |
//! | senders that the observer plays | 10.77.128.0 onwards | fd77::2:0 onwards |

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of the v4 network that all of the lab is in.
pub const PREFIX4: u8 = 16;
/// Bits of the v6 network that all of the lab is in.
pub const PREFIX6: u8 = 64;

const NET4: u32 = u32::from_be_bytes([10, 77, 0, 0]);
const NET6: u128 = 0xfd77 << 112;

const fn v4(host: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(NET4 + host)
}

const fn v6(host: u128) -> Ipv6Addr {
    Ipv6Addr::from_bits(NET6 + host)
}

/// The addresses of a station on the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// IPv4 address.
    pub v4: Ipv4Addr,
    /// IPv6 address.
    pub v6: Ipv6Addr,
    /// MAC of its interface.
    pub mac: [u8; 6],
}

/// The node with this index.
#[must_use]
pub const fn node(index: u8) -> Station {
    Station {
        v4: v4(1 + index as u32),
        v6: v6(1 + index as u128),
        mac: [0x02, 0x77, 0, 0, 0, 1 + index],
    }
}

/// The second interface of the node with this index.
#[must_use]
pub const fn second(index: u8) -> Station {
    Station {
        v4: v4(11 + index as u32),
        v6: v6(0x11 + index as u128),
        mac: [0x02, 0x77, 0, 0, 3, 1 + index],
    }
}

/// The client.
pub const CLIENT: Station = Station {
    v4: v4(100),
    v6: v6(0x100),
    mac: [0x02, 0x77, 0, 0, 1, 0],
};

/// The own v4 address of the guest with this number.
#[must_use]
pub const fn guest4(number: u8) -> Ipv4Addr {
    v4(0x100 + number as u32)
}

/// The own v6 address of the guest with this number.
#[must_use]
pub const fn guest6(number: u8) -> Ipv6Addr {
    v6(0x3_0000 + number as u128)
}

/// The MAC of the observer's interface.
pub const OBSERVER_MAC: [u8; 6] = [0x02, 0x77, 0, 0, 2, 0];

/// The v4 virtual IP with this index, for up to 16,000 of them.
#[must_use]
pub const fn vip4(index: u32) -> Ipv4Addr {
    v4(0x4001 + index)
}

/// The v6 virtual IP with this index, for up to 60,000 of them.
#[must_use]
pub const fn vip6(index: u32) -> Ipv6Addr {
    v6(0x1_0001 + index as u128)
}

/// An address from which the observer asks who has a virtual IP of the same family.
#[must_use]
pub const fn asking(target: IpAddr, index: u32) -> IpAddr {
    match target {
        IpAddr::V4(_) => IpAddr::V4(v4(0x8000 + index)),
        IpAddr::V6(_) => IpAddr::V6(v6(0x2_0000 + index as u128)),
    }
}

/// The index behind an address made by [`asking`].
#[must_use]
pub fn asking_index(address: IpAddr) -> Option<u32> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_sub(NET4 + 0x8000),
        IpAddr::V6(address) => u32::try_from(address.to_bits().checked_sub(NET6 + 0x2_0000)?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_do_not_meet() {
        assert!(node(250).v4 < vip4(0) && vip4(15_999) < Ipv4Addr::new(10, 77, 128, 0));
        assert!(CLIENT.v6 < vip6(0));
        assert!(IpAddr::V6(vip6(59_999)) < asking(IpAddr::V6(vip6(0)), 0));
    }

    #[test]
    fn an_asking_address_names_its_index() {
        for target in [IpAddr::V4(vip4(0)), IpAddr::V6(vip6(0))] {
            assert_eq!(asking_index(asking(target, 127)), Some(127));
            assert_eq!(asking_index(target), None);
        }
    }
}
