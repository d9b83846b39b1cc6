//! The internet checksum (RFC 1071) of a VRRP message (RFC 9568 section 5.2.8).

use core::net::{Ipv4Addr, Ipv6Addr};

use ha_common::wire::vrrp;

/// A running one's complement sum; a message of 64 KiB cannot overflow it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum(u32);

impl Sum {
    /// Adds octets; an odd last one is padded with zero on the right.
    #[must_use]
    pub(super) fn add(self, bytes: &[u8]) -> Self {
        let mut pairs = bytes.chunks_exact(2);
        let whole = pairs.by_ref().fold(self.0, |sum, pair| {
            sum + u32::from(u16::from_be_bytes([pair[0], pair[1]]))
        });
        let rest = pairs
            .remainder()
            .first()
            .map_or(0, |&last| u32::from(last) << 8);
        Self(whole + rest)
    }

    /// Adds the pseudo-header of IPv4 in the form of UDP's (RFC 768), which RFC 9568 leaves out and
    /// RFC 5798 was widely read to demand.
    #[must_use]
    pub(super) fn pseudo4(self, source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> Self {
        self.add(&source.octets())
            .add(&destination.octets())
            .trailer(len)
    }

    /// Adds the pseudo-header of IPv6 (RFC 8200 section 8.1).
    #[must_use]
    pub(super) fn pseudo6(self, source: Ipv6Addr, destination: Ipv6Addr, len: usize) -> Self {
        self.add(&source.octets())
            .add(&destination.octets())
            .trailer(len)
    }

    fn trailer(self, len: usize) -> Self {
        // Both pseudo-headers end in a length below 64 Ki and the protocol, each alone in its word.
        Self(self.0 + u32::from(len as u16) + u32::from(vrrp::PROTOCOL))
    }

    /// The checksum field that makes the sum come out right.
    #[must_use]
    pub(super) fn checksum(self) -> [u8; 2] {
        (!self.fold()).to_be_bytes()
    }

    /// Whether the octets, checksum field included, add up.
    #[must_use]
    pub(super) fn is_valid(self) -> bool {
        self.fold() == u16::MAX
    }

    fn fold(self) -> u16 {
        let once = (self.0 >> 16) + (self.0 & 0xffff);
        let twice = (once >> 16) + (once & 0xffff);
        twice as u16
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn example_of_rfc_1071_section_3() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(
            Sum::default().add(&bytes).checksum(),
            (!0xddf2_u16).to_be_bytes()
        );
    }

    #[test]
    fn odd_octet_is_padded() {
        assert_eq!(
            Sum::default().add(&[0x12, 0x34, 0x56]).fold(),
            Sum::default().add(&[0x12, 0x34, 0x56, 0x00]).fold()
        );
    }

    #[test]
    fn carries_are_folded_twice() {
        let bytes = [0xff; 65_534];
        assert_eq!(Sum::default().add(&bytes).fold(), u16::MAX);
        assert!(Sum::default().add(&bytes).is_valid());
    }
}
