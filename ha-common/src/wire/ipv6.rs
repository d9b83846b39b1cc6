//! IPv6 (RFC 8200 section 3).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version| Traffic Class |           Flow Label                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Payload Length        |  Next Header  |   Hop Limit   |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                Source Address (16 octets)                     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                Destination Address (16 octets)                |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::mem::size_of;

/// Version number in the first octet.
pub const VERSION: u8 = 6;
/// Length of the header, octets.
pub const HEADER_LEN: usize = size_of::<Header>();
/// The unspecified address `::` (RFC 4291 section 2.5.2).
pub const UNSPECIFIED: [u8; 16] = [0; 16];
/// The loopback address `::1` (RFC 4291 section 2.5.3).
pub const LOOPBACK: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// Extension headers (RFC 8200 section 4).
pub const HOP_BY_HOP: u8 = 0;
/// Routing header.
pub const ROUTING: u8 = 43;
/// Fragment header.
pub const FRAGMENT: u8 = 44;
/// Destination options.
pub const DESTINATION_OPTIONS: u8 = 60;

/// The header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Header {
    /// Version (4 bits), traffic class (8) and flow label (20).
    pub version_class_flow: [u8; 4],
    /// Length of what follows the header in octets, network order.
    pub payload_length: [u8; 2],
    /// Protocol of what follows, or the kind of an extension header.
    pub next_header: u8,
    /// Hop limit.
    pub hop_limit: u8,
    /// Source address.
    pub src: [u8; 16],
    /// Destination address.
    pub dst: [u8; 16],
}

impl Header {
    /// Version.
    #[must_use]
    #[inline(always)]
    pub const fn version(&self) -> u8 {
        self.version_class_flow[0] >> 4
    }

    /// Length of what follows the header, octets.
    #[must_use]
    #[inline(always)]
    pub const fn payload_len(&self) -> usize {
        u16::from_be_bytes(self.payload_length) as usize
    }
}

/// Whether an address is a multicast one (RFC 4291 section 2.7).
#[must_use]
#[inline(always)]
pub const fn is_multicast(addr: [u8; 16]) -> bool {
    addr[0] == 0xff
}

/// Whether an address can be a single host's on a network: not unspecified, loopback or multicast.
#[must_use]
#[inline(always)]
pub fn is_host(addr: [u8; 16]) -> bool {
    !is_multicast(addr) && addr != UNSPECIFIED && addr != LOOPBACK
}

const _: () = assert!(HEADER_LEN == 40);
