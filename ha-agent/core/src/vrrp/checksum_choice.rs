//! Which of the two checksums over IPv4 a group sends.

use super::packet::{Carrier, ChecksumV4};

/// What is sent until a peer was heard.
const UNLEARNED: ChecksumV4 = ChecksumV4::PseudoHeader;

/// What the operator decided, or what the peers were heard to use.
///
/// Received advertisements may have either; this is about what is sent. A peer that demands the one
/// and gets the other takes the Active node for dead, so the safest is to send what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumChoice {
    /// Always this one.
    Fixed(ChecksumV4),
    /// The one that was last heard; until then the one with a pseudo-header.
    ///
    /// RFC 9568 has none, but keepalived and FRR have, and take nothing else. Such a Backup says nothing
    /// from which it could be learnt, and takes over beside an owner that it does not understand.
    Auto {
        /// What was heard, if anything.
        learned: Option<ChecksumV4>,
    },
}

impl ChecksumChoice {
    /// To be learnt.
    pub const AUTO: Self = Self::Auto { learned: None };

    /// What to send.
    #[must_use]
    pub fn sent(self) -> ChecksumV4 {
        match self {
            Self::Fixed(kind) => kind,
            Self::Auto { learned } => learned.unwrap_or(UNLEARNED),
        }
    }

    /// Takes note of a `message` that was accepted, and says what is sent from now on if that has
    /// changed.
    ///
    /// To be called after [`Advertisement::decode`](super::Advertisement::decode) of version 3 only: it
    /// believes what it is given.
    pub fn learn(&mut self, message: &[u8], carrier: Carrier) -> Option<ChecksumV4> {
        let learned = match self {
            Self::Fixed(_) => return None,
            Self::Auto { learned } => learned,
        };
        let heard = ChecksumV4::found_in(message, carrier)?;
        let before = learned.replace(heard).unwrap_or(UNLEARNED);
        (before != heard).then_some(heard)
    }
}

impl Default for ChecksumChoice {
    fn default() -> Self {
        Self::Fixed(ChecksumV4::default())
    }
}
