//! ARP for IPv4 over Ethernet (RFC 826).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Hardware Type         |         Protocol Type         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  HW Length    | Proto Length  |           Operation           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Sender Hardware Address                    |
//! +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                               |    Sender Protocol Address    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  (continued)                  |    Target Hardware Address    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//! |                                                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Target Protocol Address                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::mem::size_of;

use super::eth;
use crate::abi::Mac;

/// Hardware type of Ethernet.
pub const HARDWARE_ETHERNET: u16 = 1;
/// Operation: who has the target protocol address?
pub const OP_REQUEST: u16 = 1;
/// Operation: the sender has.
pub const OP_REPLY: u16 = 2;

/// Octets of a MAC and of an IPv4 address.
const LENGTHS: [u8; 2] = [6, 4];

/// A whole packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Packet {
    /// [`HARDWARE_ETHERNET`], network order.
    pub hardware: [u8; 2],
    /// [`eth::ETHERTYPE_IPV4`], network order.
    pub protocol: [u8; 2],
    /// Octets of a hardware address and of a protocol address.
    pub lengths: [u8; 2],
    /// An `OP_*`, network order.
    pub operation: [u8; 2],
    /// The sender's MAC.
    pub sender_mac: Mac,
    /// The sender's address; 0.0.0.0 in a probe (RFC 5227 section 2.1.1).
    pub sender: [u8; 4],
    /// The target's MAC, where it is known.
    pub target_mac: Mac,
    /// The target's address.
    pub target: [u8; 4],
}

impl Packet {
    /// A packet for IPv4 over Ethernet.
    #[must_use]
    #[inline(always)]
    pub const fn new(
        operation: u16,
        (sender_mac, sender): (Mac, [u8; 4]),
        (target_mac, target): (Mac, [u8; 4]),
    ) -> Self {
        Self {
            hardware: HARDWARE_ETHERNET.to_be_bytes(),
            protocol: eth::ETHERTYPE_IPV4.to_be_bytes(),
            lengths: LENGTHS,
            operation: operation.to_be_bytes(),
            sender_mac,
            sender,
            target_mac,
            target,
        }
    }

    /// Whether types and lengths are those of IPv4 over Ethernet.
    #[must_use]
    #[inline(always)]
    pub fn is_ethernet_ipv4(&self) -> bool {
        u16::from_be_bytes(self.hardware) == HARDWARE_ETHERNET
            && u16::from_be_bytes(self.protocol) == eth::ETHERTYPE_IPV4
            && self.lengths == LENGTHS
    }

    /// The operation.
    #[must_use]
    #[inline(always)]
    pub const fn operation(&self) -> u16 {
        u16::from_be_bytes(self.operation)
    }
}

const _: () = assert!(size_of::<Packet>() == 28);
