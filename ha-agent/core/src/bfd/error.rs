//! Why a control packet is discarded.

use core::num::NonZeroU32;

use ha_common::wire::bfd::State;

/// Why a received packet is discarded: one variant for each rule of RFC 5880 section 6.8.6, and for that of
/// RFC 5881 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Discard {
    /// The packet may have been forwarded.
    #[error("TTL or hop limit is {found}, not 255")]
    HopLimit {
        /// What the IP header says.
        found: u8,
    },
    /// The payload ends before the mandatory section does.
    #[error("{len} octets are less than the 24 of a control packet")]
    Incomplete {
        /// Octets received.
        len: usize,
    },
    /// Another version of the protocol.
    #[error("BFD version is {found}, not 1")]
    Version {
        /// What the packet says.
        found: u8,
    },
    /// Length is less than the mandatory section, and that of authentication if there is one.
    #[error("Length is {found}, less than the {least} of its sections")]
    TooShort {
        /// What the packet says.
        found: u8,
        /// 24, or 26 with authentication.
        least: u8,
    },
    /// Length is more than there is.
    #[error("Length is {found}, but the payload has {len} octets")]
    TooLong {
        /// What the packet says.
        found: u8,
        /// Octets received.
        len: usize,
    },
    /// Detect Mult is zero.
    #[error("Detect Mult is zero")]
    ZeroMultiplier,
    /// The Multipoint bit is set.
    #[error("the Multipoint bit is set")]
    Multipoint,
    /// My Discriminator is zero.
    #[error("My Discriminator is zero")]
    ZeroDiscriminator,
    /// Your Discriminator is none of ours: the sender's session is with somebody else, or with an agent that
    /// has been restarted since.
    #[error("Your Discriminator {found} belongs to no session")]
    UnknownDiscriminator {
        /// What the packet says.
        found: NonZeroU32,
    },
    /// Your Discriminator is zero, but the sender claims to hear this node.
    #[error("Your Discriminator is zero in state {}", state.name())]
    NoDiscriminator {
        /// What the packet says.
        state: State,
    },
    /// No session is configured with the sender.
    #[error("no session is configured with the sender on this interface")]
    NoSession,
    /// Authentication, which is not offered.
    #[error("it is authenticated, and authentication is not offered: turn it off at the sender")]
    Authentication,
}

impl Discard {
    /// The label in the status and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HopLimit { .. } => "hop_limit",
            Self::Incomplete { .. } => "incomplete",
            Self::Version { .. } => "version",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::ZeroMultiplier => "zero_multiplier",
            Self::Multipoint => "multipoint",
            Self::ZeroDiscriminator => "zero_discriminator",
            Self::UnknownDiscriminator { .. } => "unknown_discriminator",
            Self::NoDiscriminator { .. } => "no_discriminator",
            Self::NoSession => "no_session",
            Self::Authentication => "authentication",
        }
    }
}
