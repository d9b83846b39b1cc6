//! IPv4 (RFC 791).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version|  IHL  |Type of Service|          Total Length         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |         Identification        |Flags|      Fragment Offset    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Time to Live |    Protocol   |         Header Checksum       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       Source Address                          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Destination Address                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::mem::size_of;

/// Version number in the first octet.
pub const VERSION: u8 = 4;
/// Length of a header without options, octets.
pub const HEADER_LEN: usize = size_of::<Header>();
/// Length of the longest header, octets: 15 words.
pub const MAX_HEADER_LEN: usize = 60;

/// "More fragments" and the fragment offset in [`Header::fragment`].
const FRAGMENT_MASK: u16 = 0x3fff;

/// The fixed part of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Header {
    /// Version in the upper, length in words of four octets in the lower four bits.
    pub version_length: u8,
    /// Type of service.
    pub tos: u8,
    /// Length of header and payload in octets, network order.
    pub total_length: [u8; 2],
    /// Identification.
    pub id: [u8; 2],
    /// Flags and fragment offset, network order.
    pub fragment: [u8; 2],
    /// Time to live.
    pub ttl: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Checksum over the header.
    pub checksum: [u8; 2],
    /// Source address.
    pub src: [u8; 4],
    /// Destination address.
    pub dst: [u8; 4],
}

impl Header {
    /// Version.
    #[must_use]
    #[inline(always)]
    pub const fn version(&self) -> u8 {
        self.version_length >> 4
    }

    /// Length of the header in octets, options included.
    #[must_use]
    #[inline(always)]
    pub const fn header_len(&self) -> usize {
        (self.version_length & 0x0f) as usize * 4
    }

    /// Length of header and payload in octets.
    #[must_use]
    #[inline(always)]
    pub const fn total_len(&self) -> usize {
        u16::from_be_bytes(self.total_length) as usize
    }

    /// Whether the packet is a fragment, the first one included.
    #[must_use]
    #[inline(always)]
    pub const fn is_fragment(&self) -> bool {
        u16::from_be_bytes(self.fragment) & FRAGMENT_MASK != 0
    }
}

/// Whether an address can be a single host's, as a source or destination on a network: not "this
/// network", loopback, multicast, reserved or broadcast (RFC 1122 section 3.2.1.3).
#[must_use]
#[inline(always)]
pub const fn is_host(addr: [u8; 4]) -> bool {
    let network = u32::from_be_bytes(addr) >> 24;
    network != 0 && network != 127 && network < 224
}

const _: () = assert!(HEADER_LEN == 20);

#[cfg(test)]
mod tests {
    use super::{Header, is_host};

    #[test]
    fn fragments_are_told_from_whole_packets() {
        let with = |fragment| Header {
            fragment,
            ..Header::default()
        };
        assert!(!with([0x00, 0x00]).is_fragment());
        assert!(!with([0x40, 0x00]).is_fragment(), "don't fragment");
        assert!(with([0x20, 0x00]).is_fragment(), "first of several");
        assert!(with([0x00, 0xb9]).is_fragment(), "last of several");
    }

    #[test]
    fn hosts_are_told_from_other_addresses() {
        for host in [[192, 0, 2, 1], [1, 0, 0, 1], [223, 255, 255, 1]] {
            assert!(is_host(host), "{host:?}");
        }
        for other in [
            [0, 0, 0, 0],
            [127, 0, 0, 1],
            [224, 0, 0, 18],
            [240, 0, 0, 1],
            [255; 4],
        ] {
            assert!(!is_host(other), "{other:?}");
        }
    }
}
