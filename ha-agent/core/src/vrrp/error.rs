//! Why a packet is discarded, or cannot be made.

use core::net::Ipv6Addr;

use super::{timers::Centiseconds, version::Version};

/// Why a received packet is discarded: one variant for each rule of RFC 9568 section 7.1, errata 8299
/// to 8301 included, and of RFC 3768 section 7.1 for version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Discard {
    /// The packet may have been forwarded.
    #[error("TTL or hop limit is {found}, not 255")]
    HopLimit {
        /// What the IP header says.
        found: u8,
    },
    /// Another version than the group's; keepalived's default is 2.
    #[error("VRRP version is {found}, not {expected}")]
    Version {
        /// What the packet says.
        found: u8,
        /// What the group is configured for.
        expected: Version,
    },
    /// Version 2 has no IPv6.
    #[error("VRRP version 2 came over IPv6")]
    Version2OverIpv6,
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
    /// Not one of the configured peers, of which there are some.
    #[error("the sender is none of the configured peers")]
    NotAPeer,
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
    /// Version 2 with another interval than the own one.
    #[error("interval is {found} s, but {own} here, and in version 2 both must be the same")]
    Interval {
        /// What the packet says, in seconds.
        found: u8,
        /// The own interval.
        own: Centiseconds,
    },
    /// Version 2 with authentication, which RFC 3768 has abolished.
    #[error("authentication type is {found}, not 0: remove the authentication at the sender")]
    Authentication {
        /// What the packet says.
        found: u8,
    },
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
            Self::NotAPeer => "not_a_peer",
            Self::UnknownVrid { .. } => "unknown_vrid",
            Self::NoAddresses => "no_addresses",
            Self::FirstNotLinkLocal { .. } => "first_not_link_local",
            Self::ZeroInterval => "zero_interval",
            Self::Version2OverIpv6 => "version_2_over_ipv6",
            Self::Interval { .. } => "interval",
            Self::Authentication { .. } => "authentication",
        }
    }
}

/// Why an advertisement has no octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unencodable {
    /// Carrier and virtual addresses are of different families (RFC 9568 section 5.2.9).
    #[error("virtual addresses are not of the family that carries the advertisement")]
    Family,
    /// Version 2 has no IPv6.
    #[error("VRRP version 2 cannot be sent over IPv6")]
    Version2OverIpv6,
    /// Version 2 counts whole seconds (RFC 3768 section 5.3.7).
    #[error("an interval of {interval} is no whole number of seconds, as VRRP version 2 needs it")]
    Interval {
        /// The interval in question.
        interval: Centiseconds,
    },
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
