//! ICMP (RFC 792) and ICMPv6 (RFC 4443): the header that both share, and echo.

use core::mem::size_of;

/// IPv4 protocol number of ICMP.
pub const PROTOCOL_V4: u8 = 1;
/// IPv6 next header of ICMPv6.
pub const PROTOCOL_V6: u8 = 58;

/// ICMP echo reply.
pub const V4_ECHO_REPLY: u8 = 0;
/// ICMP echo request.
pub const V4_ECHO_REQUEST: u8 = 8;
/// ICMPv6 echo request (RFC 4443 section 4.1).
pub const V6_ECHO_REQUEST: u8 = 128;
/// ICMPv6 echo reply (RFC 4443 section 4.2).
pub const V6_ECHO_REPLY: u8 = 129;

/// The header of an echo request or reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Echo {
    /// Type and code.
    pub kind: [u8; 2],
    /// Checksum over the message; with IPv6 also over the pseudo-header.
    pub checksum: [u8; 2],
    /// Identifier and sequence number.
    pub id_sequence: [u8; 4],
}

const _: () = assert!(size_of::<Echo>() == 8);
