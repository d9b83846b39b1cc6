//! UDP (RFC 768).

use core::mem::size_of;

/// IP protocol number and IPv6 next header.
pub const PROTOCOL: u8 = 17;

/// The header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Header {
    /// Source port, network order.
    pub src_port: [u8; 2],
    /// Destination port, network order.
    pub dst_port: [u8; 2],
    /// Octets of header and payload, network order.
    pub length: [u8; 2],
    /// Checksum over pseudo-header, header and payload. Zero over IPv4: there is none.
    pub checksum: [u8; 2],
}

impl Header {
    /// Length in octets.
    pub const LEN: usize = size_of::<Self>();

    /// Octets of header and payload.
    #[must_use]
    #[inline(always)]
    pub const fn total_len(&self) -> usize {
        u16::from_be_bytes(self.length) as usize
    }
}

const _: () = assert!(Header::LEN == 8);
