//! Why a packet is discarded, or cannot be made.

use core::net::Ipv6Addr;

/// Why a received packet is discarded: one variant for each rule of RFC 9568 section 7.1, errata 8299
/// to 8301 included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Discard {
    /// The packet may have been forwarded.
    #[error("TTL or hop limit is {found}, not 255")]
    HopLimit {
        /// What the IP header says.
        found: u8,
    },
    /// Another version, often keepalived's default, 2.
    #[error("VRRP version is {found}, not 3")]
    Version {
        /// What the packet says.
        found: u8,
    },
    /// Not an advertisement.
    #[error("VRRP packet type is {found}, not 1")]
    Type {
        /// What the packet says.
        found: u8,
    },
    /// Shorter than the header, or than the number of its addresses needs.
    #[error("{len} octets are less than the {needed} of a complete packet")]
    Incomplete {
        /// Octets received.
        len: usize,
        /// Octets of a complete packet.
        needed: usize,
    },
    /// The checksum is wrong, or of the other kind.
    #[error("checksum is wrong")]
    Checksum,
    /// Not a virtual router of the receiving interface.
    #[error("virtual router {vrid} is not configured on this interface")]
    UnknownVrid {
        /// What the packet says.
        vrid: u8,
    },
    /// The list of addresses is empty.
    #[error("no virtual addresses")]
    NoAddresses,
    /// The first IPv6 address is not link-local.
    #[error("first virtual address {found} is not link-local")]
    FirstNotLinkLocal {
        /// What the packet says.
        found: Ipv6Addr,
    },
    /// The interval is zero.
    #[error("Max Advertise Interval is zero")]
    ZeroInterval,
}

impl Discard {
    /// The label in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HopLimit { .. } => "hop_limit",
            Self::Version { .. } => "version",
            Self::Type { .. } => "type",
            Self::Incomplete { .. } => "incomplete",
            Self::Checksum => "checksum",
            Self::UnknownVrid { .. } => "unknown_vrid",
            Self::NoAddresses => "no_addresses",
            Self::FirstNotLinkLocal { .. } => "first_not_link_local",
            Self::ZeroInterval => "zero_interval",
        }
    }
}

/// Why an advertisement has no octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unencodable {
    /// Carrier and virtual addresses are of different families (RFC 9568 section 5.2.9).
    #[error("virtual addresses are not of the family that carries the advertisement")]
    Family,
    /// An advertisement has at least one address (RFC 9568 section 5.2.5).
    #[error("an advertisement needs at least one virtual address")]
    NoAddresses,
    /// More than fit.
    #[error("{count} virtual addresses are more than the {max} that fit an advertisement")]
    TooManyAddresses {
        /// How many there are.
        count: usize,
        /// [`Addresses::MAX_V4`](super::Addresses::MAX_V4) or
        /// [`Addresses::MAX_V6`](super::Addresses::MAX_V6).
        max: usize,
    },
    /// Over IPv6 the first address is link-local (RFC 9568 section 5.2.9).
    #[error("first IPv6 virtual address {found} is not link-local")]
    FirstNotLinkLocal {
        /// The address in question.
        found: Ipv6Addr,
    },
}
