//! Who still uses a node that is not Active.

use core::mem::size_of;

use super::Mac;

/// Senders that a node counts one by one; those that were heard last.
pub const MAX_STALE: u32 = 1024;

/// Key of `ha_stale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct StaleKey {
    /// The sender's address, v4 as v4-mapped v6.
    pub addr: [u8; 16],
    /// The group.
    pub group: u32,
    /// The MAC that the frames come from: the sender's, or that of a router before it.
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
}

/// Value of `ha_stale`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Stale {
    /// Frames that were sent on.
    pub frames: u64,
    /// When the last one came, `CLOCK_MONOTONIC` nanoseconds to a tick.
    pub last_ns: u64,
}

const _: () = assert!(size_of::<StaleKey>() == 28 && size_of::<Stale>() == 16);
