//! Who has a group: one word of the agent, one of the kernel.

/// What a node is for a group. The number is what `bpftool map dump` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Not the owner: silent, and forwards stale traffic if the owner is known.
    #[default]
    Backup = 0,
    /// About to take over from a live owner: delivers what already reaches it, so that nothing is
    /// lost, but is still silent to ARP and neighbour solicitations, so that there is one answer.
    Claiming = 1,
    /// The owner (RFC 9568 "Active").
    Active = 2,
}

impl Role {
    /// The role behind a number read from a map; an unknown number is `Backup`, the silent one.
    #[must_use]
    pub const fn from_u8(raw: u8) -> Self {
        match raw {
            1 => Self::Claiming,
            2 => Self::Active,
            _ => Self::Backup,
        }
    }

    /// The name in the status, in logs and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Claiming => "claiming",
            Self::Active => "active",
        }
    }
}

/// The role word: who has a group, as one aligned 64-bit word that only the agent writes.
///
/// It is always read and written whole, as the `u64` of [`RoleWord::to_bits`]; the fields are there
/// for `bpftool`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct RoleWord {
    /// A [`Role`].
    pub role: u8,
    /// Generation of the lease under which the word was written (low 8 bits). A word of an older
    /// lease is void, so that a write which was delayed past a lapse cannot make the node Active.
    pub lease: u8,
    /// Slot in `ha_peer` of the Active peer, 0 if unknown: where stale traffic goes. In the word of an Active node it
    /// is the peer that would take over: where stale traffic goes from when the kernel takes the role back.
    pub peer: u16,
    /// Grows with each change of owner; void while not newer than [`Demotion::epoch`].
    pub epoch: u32,
}

impl RoleWord {
    /// The word as the one number that is stored.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        u64::from_ne_bytes({
            let p = self.peer.to_ne_bytes();
            let e = self.epoch.to_ne_bytes();
            [self.role, self.lease, p[0], p[1], e[0], e[1], e[2], e[3]]
        })
    }

    /// The word behind a stored number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let b = bits.to_ne_bytes();
        Self {
            role: b[0],
            lease: b[1],
            peer: u16::from_ne_bytes([b[2], b[3]]),
            epoch: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}

/// The demotion word: beside the role word, written by the kernel alone.
///
/// A node is not Active for a group while the epoch of its role word is not newer than this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Demotion {
    /// The epoch that was demoted; 0 if none ever was.
    pub epoch: u32,
    /// The priority in the advertisement that demoted it, for `bpftool` and the status.
    pub priority: u32,
}

impl Demotion {
    /// The word as the one number that is stored.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        let e = self.epoch.to_ne_bytes();
        let p = self.priority.to_ne_bytes();
        u64::from_ne_bytes([e[0], e[1], e[2], e[3], p[0], p[1], p[2], p[3]])
    }

    /// The word behind a stored number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let b = bits.to_ne_bytes();
        Self {
            epoch: u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            priority: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}
