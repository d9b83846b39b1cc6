//! The lease: the agent's dead-man's switch in the kernel.
//!
//! The agent renews it by running the program [`crate::abi::program::LEASE`] on a [`Request`]; a
//! kernel timer marks it lapsed when a renewal does not come. A lapsed lease cannot be renewed: the
//! agent must ask for a new one, which has a new generation, and every role word of the old
//! generation stays void.

use core::mem::size_of;

/// State of the lease. The number is what `bpftool map dump` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LeaseState {
    /// Never granted: the node is fenced.
    #[default]
    None = 0,
    /// The agent is alive.
    Valid = 1,
    /// Not renewed in time, or given up: the node is fenced.
    Lapsed = 2,
}

impl LeaseState {
    /// The state behind a number read from the map; an unknown number is `Lapsed`.
    #[must_use]
    pub const fn from_u8(raw: u8) -> Self {
        match raw {
            0 => Self::None,
            1 => Self::Valid,
            _ => Self::Lapsed,
        }
    }

    /// The name in the status and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Valid => "valid",
            Self::Lapsed => "lapsed",
        }
    }
}

/// The lease word, read whole with every frame for a virtual IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct LeaseWord {
    /// A [`LeaseState`].
    pub state: u8,
    /// Low 8 bits of [`LeaseWord::grants`]: what [`crate::abi::RoleWord::lease`] must equal.
    pub generation: u8,
    /// Padding.
    pub pad: [u8; 2],
    /// Grants since the map was made.
    pub grants: u32,
}

impl LeaseWord {
    /// The word as the one number that is stored.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        let g = self.grants.to_ne_bytes();
        u64::from_ne_bytes([
            self.state,
            self.generation,
            self.pad[0],
            self.pad[1],
            g[0],
            g[1],
            g[2],
            g[3],
        ])
    }

    /// The word behind a stored number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let b = bits.to_ne_bytes();
        Self {
            state: b[0],
            generation: b[1],
            pad: [b[2], b[3]],
            grants: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}

/// What the agent asks of the lease program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// Start a new lease with a new generation, whatever the state.
    Grant = 1,
    /// Prolong the lease of [`Request::generation`]; refused when that one has lapsed.
    Renew = 2,
    /// Give the lease up at once.
    Drop = 3,
}

impl Operation {
    /// The operation behind a number in a request.
    #[must_use]
    pub const fn from_u8(raw: u8) -> Option<Self> {
        match raw {
            1 => Some(Self::Grant),
            2 => Some(Self::Renew),
            3 => Some(Self::Drop),
            _ => None,
        }
    }
}

/// Input of the lease program: the first bytes of the test frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Request {
    /// An [`Operation`].
    pub operation: u8,
    /// Generation to renew.
    pub generation: u8,
    /// Padding.
    pub pad: [u8; 6],
    /// Length of the lease in nanoseconds, little endian.
    pub length_ns: [u8; 8],
}

impl Request {
    /// The bytes of a test frame: a request, then zeros up to what the kernel wants at least
    /// (`ETH_HLEN`, `net/bpf/test_run.c`).
    #[must_use]
    pub const fn to_frame(self) -> [u8; 64] {
        let mut frame = [0; 64];
        frame[0] = self.operation;
        frame[1] = self.generation;
        let mut i = 0;
        while i < 8 {
            frame[8 + i] = self.length_ns[i];
            i += 1;
        }
        frame
    }
}

/// Return value of the lease program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Reply {
    /// Granted, renewed or dropped as asked.
    Done = 1,
    /// Not renewed: the lease has lapsed, or is of another generation.
    Lapsed = 2,
    /// The request is not understood.
    Invalid = 3,
    /// The kernel refused the timer.
    NoTimer = 4,
}

impl Reply {
    /// The reply behind the program's return value.
    #[must_use]
    pub const fn from_u32(raw: u32) -> Option<Self> {
        match raw {
            1 => Some(Self::Done),
            2 => Some(Self::Lapsed),
            3 => Some(Self::Invalid),
            4 => Some(Self::NoTimer),
            _ => None,
        }
    }
}

const _: () = {
    assert!(size_of::<LeaseWord>() == 8);
    assert!(size_of::<Request>() == 16);
};
