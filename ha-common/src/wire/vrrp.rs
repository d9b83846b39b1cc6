//! VRRP version 3 (RFC 9568 section 5): constants, the fixed header and its offsets. Version 2 (RFC 3768
//! section 5.3) has the same, but for two octets of the header and a trailer.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version| Type  | Virtual Rtr ID|   Priority    |IPvX Addr Count|
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Reserve| Max Advertise Interval|           Checksum            |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       IPvX Address(es)                        |
//! ```

use core::mem::{align_of, offset_of, size_of};

use crate::abi::Mac;

/// IP protocol number and IPv6 next header (RFC 9568 sections 5.1.1.4 and 5.1.2.4).
pub const PROTOCOL: u8 = 112;
/// The only TTL and hop limit that is sent and accepted (RFC 9568 sections 5.1.1.3 and 5.1.2.3).
pub const HOP_LIMIT: u8 = 255;
/// Where IPv4 advertisements go: 224.0.0.18 (RFC 9568 section 5.1.1.2).
pub const MULTICAST4: [u8; 4] = [224, 0, 0, 18];
/// Where IPv6 advertisements go: `ff02::12` (RFC 9568 section 5.1.2.2).
pub const MULTICAST6: [u8; 16] = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12];
/// Ethernet group of [`MULTICAST4`] (RFC 1112 section 6.4).
pub const MULTICAST4_MAC: Mac = Mac([0x01, 0x00, 0x5e, 0x00, 0x00, 0x12]);
/// Ethernet group of [`MULTICAST6`] (RFC 2464 section 7).
pub const MULTICAST6_MAC: Mac = Mac([0x33, 0x33, 0x00, 0x00, 0x00, 0x12]);

/// Protocol version (RFC 9568 section 5.2.1).
pub const VERSION: u8 = 3;
/// Version 2, which is spoken for migration only (RFC 3768 section 5.3.1).
pub const VERSION_2: u8 = 2;
/// Authentication type of version 2: none, the only one that is left (RFC 3768 section 5.3.6).
pub const NO_AUTHENTICATION: u8 = 0;
/// Octets of authentication data behind the addresses of version 2 (RFC 3768 section 5.3.10).
pub const AUTHENTICATION_LEN: usize = 8;
/// The only packet type (RFC 9568 section 5.2.2).
pub const TYPE_ADVERTISEMENT: u8 = 1;
/// First octet of every advertisement: version and type.
pub const VERSION_TYPE: u8 = VERSION << 4 | TYPE_ADVERTISEMENT;

/// Priority of the router that owns the addresses (RFC 9568 section 5.2.4).
pub const PRIORITY_OWNER: u8 = 255;
/// Priority of a router that lets go (RFC 9568 section 5.2.4).
pub const PRIORITY_RELEASE: u8 = 0;

/// Bits of [`Header::max_advert_interval`] that are the interval, in centiseconds; the upper four
/// are reserved, sent as zero and not looked at (RFC 9568 sections 5.2.6 and 5.2.7).
pub const INTERVAL_MASK: u16 = 0x0fff;

/// Offset of [`Header::version_type`] from the start of the message.
pub const OFFSET_VERSION_TYPE: usize = offset_of!(Header, version_type);
/// Offset of [`Header::vrid`] from the start of the message.
pub const OFFSET_VRID: usize = offset_of!(Header, vrid);
/// Offset of [`Header::priority`] from the start of the message.
pub const OFFSET_PRIORITY: usize = offset_of!(Header, priority);
/// Offset of [`Header::checksum`] from the start of the message.
pub const OFFSET_CHECKSUM: usize = offset_of!(Header, checksum);

/// The fixed part of an advertisement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Header {
    /// Version in the upper, type in the lower four bits.
    pub version_type: u8,
    /// Virtual router id, 1 to 255.
    pub vrid: u8,
    /// Priority, [`PRIORITY_RELEASE`] to [`PRIORITY_OWNER`].
    pub priority: u8,
    /// How many addresses follow.
    pub address_count: u8,
    /// Four reserved bits and the sender's interval in centiseconds, network order.
    pub max_advert_interval: [u8; 2],
    /// RFC 1071 checksum over the whole message, network order; with IPv6 also over the
    /// pseudo-header (RFC 9568 section 5.2.8).
    pub checksum: [u8; 2],
}

impl Header {
    /// Length in octets.
    pub const LEN: usize = size_of::<Self>();

    /// The header behind its octets.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        let [version_type, vrid, priority, address_count, i0, i1, c0, c1] = bytes;
        Self {
            version_type,
            vrid,
            priority,
            address_count,
            max_advert_interval: [i0, i1],
            checksum: [c0, c1],
        }
    }

    /// The octets on the wire.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        let [i0, i1] = self.max_advert_interval;
        let [c0, c1] = self.checksum;
        [
            self.version_type,
            self.vrid,
            self.priority,
            self.address_count,
            i0,
            i1,
            c0,
            c1,
        ]
    }

    /// Protocol version.
    #[must_use]
    pub const fn version(self) -> u8 {
        self.version_type >> 4
    }

    /// Packet type.
    #[must_use]
    pub const fn packet_type(self) -> u8 {
        self.version_type & 0x0f
    }

    /// The sender's interval in centiseconds, without the reserved bits.
    #[must_use]
    pub const fn interval_centiseconds(self) -> u16 {
        u16::from_be_bytes(self.max_advert_interval) & INTERVAL_MASK
    }

    /// What the same octets are in version 2: authentication type, and the sender's interval in
    /// seconds (RFC 3768 sections 5.3.6 and 5.3.7).
    #[must_use]
    pub const fn authentication_and_seconds(self) -> (u8, u8) {
        let [authentication, seconds] = self.max_advert_interval;
        (authentication, seconds)
    }
}

/// The virtual MAC of a virtual router's IPv4 addresses (RFC 9568 section 7.3).
#[must_use]
pub const fn mac4(vrid: u8) -> Mac {
    Mac([0x00, 0x00, 0x5e, 0x00, 0x01, vrid])
}

/// The virtual MAC of a virtual router's IPv6 addresses (RFC 9568 section 7.3).
#[must_use]
pub const fn mac6(vrid: u8) -> Mac {
    Mac([0x00, 0x00, 0x5e, 0x00, 0x02, vrid])
}

const _: () = {
    assert!(Header::LEN == 8);
    assert!(align_of::<Header>() == 1);
    assert!(OFFSET_VERSION_TYPE == 0);
    assert!(OFFSET_VRID == 1);
    assert!(OFFSET_PRIORITY == 2);
    assert!(OFFSET_CHECKSUM == 6);
};

#[cfg(test)]
mod tests {
    use super::Header;

    #[test]
    fn header_is_its_octets() {
        let bytes = [0x31, 51, 200, 2, 0xf0, 0x64, 0xab, 0xcd];
        let header = Header::from_bytes(bytes);
        assert_eq!((header.version(), header.packet_type()), (3, 1));
        assert_eq!((header.vrid, header.priority), (51, 200));
        assert_eq!(header.address_count, 2);
        assert_eq!(header.interval_centiseconds(), 100);
        assert_eq!(header.authentication_and_seconds(), (0xf0, 0x64));
        assert_eq!(header.checksum, [0xab, 0xcd]);
        assert_eq!(header.to_bytes(), bytes);
    }
}
