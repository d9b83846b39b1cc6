//! Neighbour discovery (RFC 4861): solicitations, advertisements and the link-layer address option.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Type      |     Code      |          Checksum             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |R|S|O|                     Reserved                            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                  Target Address (16 octets)                   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Options: type, length in units of 8 octets, value ...
//! ```

use core::mem::size_of;

use crate::abi::Mac;

/// Type of a neighbour solicitation (section 4.3).
pub const SOLICITATION: u8 = 135;
/// Type of a neighbour advertisement (section 4.4).
pub const ADVERTISEMENT: u8 = 136;
/// The only hop limit that is sent and accepted (section 7.1.1): the packet was not routed.
pub const HOP_LIMIT: u8 = 255;

/// [`Message::flags`]: the sender is a router.
pub const FLAG_ROUTER: u8 = 0x80;
/// [`Message::flags`]: sent in response to a solicitation.
pub const FLAG_SOLICITED: u8 = 0x40;
/// [`Message::flags`]: replace the link-layer address in the receiver's cache.
pub const FLAG_OVERRIDE: u8 = 0x20;

/// Option: the sender's link-layer address (section 4.6.1).
pub const OPTION_SOURCE_LINK: u8 = 1;
/// Option: the target's link-layer address (section 4.6.1).
pub const OPTION_TARGET_LINK: u8 = 2;
/// Octets in which the length of an option is counted (section 4.6).
pub const OPTION_UNIT: usize = 8;

/// All nodes on the link: `ff02::1` (RFC 4291 section 2.7.1).
pub const ALL_NODES: [u8; 16] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// Ethernet group of [`ALL_NODES`] (RFC 2464 section 7).
pub const ALL_NODES_MAC: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);

/// First 13 octets of every solicited-node multicast address, `ff02::1:ff00:0/104` (RFC 4291 section
/// 2.7.1).
const SOLICITED_NODE: [u8; 13] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff];

/// A neighbour solicitation or advertisement without its options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Message {
    /// [`SOLICITATION`] or [`ADVERTISEMENT`].
    pub kind: u8,
    /// 0.
    pub code: u8,
    /// Checksum over pseudo-header and message.
    pub checksum: [u8; 2],
    /// `FLAG_*` in the first octet of an advertisement; otherwise reserved.
    pub flags: [u8; 4],
    /// The address that is asked for or advertised.
    pub target: [u8; 16],
}

/// A link-layer address option for Ethernet (RFC 2464 section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct LinkOption {
    /// [`OPTION_SOURCE_LINK`] or [`OPTION_TARGET_LINK`].
    pub kind: u8,
    /// Length in units of eight octets: 1.
    pub units: u8,
    /// The address.
    pub mac: Mac,
}

/// Whether an address is a solicited-node multicast address.
#[must_use]
#[inline(always)]
pub fn is_solicited_node(addr: [u8; 16]) -> bool {
    addr.first_chunk() == Some(&SOLICITED_NODE)
}

/// The solicited-node multicast address of an address.
#[must_use]
pub const fn solicited_node(addr: [u8; 16]) -> [u8; 16] {
    let mut group = [0; 16];
    let mut i = 0;
    while i < 16 {
        group[i] = if i < 13 { SOLICITED_NODE[i] } else { addr[i] };
        i += 1;
    }
    group
}

/// The Ethernet group of an IPv6 multicast address (RFC 2464 section 7).
#[must_use]
pub const fn multicast_mac(group: [u8; 16]) -> Mac {
    Mac([0x33, 0x33, group[12], group[13], group[14], group[15]])
}

const _: () = {
    assert!(size_of::<Message>() == 24);
    assert!(size_of::<LinkOption>() == OPTION_UNIT);
};

#[cfg(test)]
mod tests {
    use super::{Mac, is_solicited_node, multicast_mac, solicited_node};

    /// The example of RFC 4291 section 2.7.1.
    #[test]
    fn example_of_rfc_4291() {
        let mut addr = [0; 16];
        addr[0] = 0x40;
        addr[1] = 0x37;
        addr[8..].copy_from_slice(&[0x01, 0, 0x08, 0x00, 0x20, 0x0e, 0x8c, 0x6c]);
        let group = solicited_node(addr);
        assert_eq!(
            group,
            [
                0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x0e, 0x8c, 0x6c
            ]
        );
        assert!(is_solicited_node(group));
        assert!(!is_solicited_node(addr));
        assert_eq!(
            multicast_mac(group),
            Mac([0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c])
        );
    }
}
