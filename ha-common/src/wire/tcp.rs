//! TCP (RFC 9293).

use core::mem::size_of;

/// IP protocol number and IPv6 next header.
pub const PROTOCOL: u8 = 6;

/// Bit of [`Header::flags`]: the segment opens a connection, or answers one that does.
pub const SYN: u8 = 1 << 1;

/// The header without options (section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Header {
    /// Source port, network order.
    pub src_port: [u8; 2],
    /// Destination port, network order.
    pub dst_port: [u8; 2],
    /// Sequence number, network order.
    pub sequence: [u8; 4],
    /// Acknowledgement number, network order.
    pub acknowledgement: [u8; 4],
    /// Length of the header in its upper four bits, in units of four octets.
    pub offset: u8,
    /// Control bits.
    pub flags: u8,
    /// Window, network order.
    pub window: [u8; 2],
    /// Checksum over pseudo-header, header and payload.
    pub checksum: [u8; 2],
    /// Urgent pointer, network order.
    pub urgent: [u8; 2],
}

const _: () = assert!(size_of::<Header>() == 20);
