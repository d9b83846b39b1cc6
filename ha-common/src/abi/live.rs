//! Liveness: for what this node answers, of whom it hears, what it has heard, and whose echoes it loops.

use core::mem::{offset_of, size_of};

use super::Mac;

/// Discriminators a node can answer for: its own, and one for each group. Sizes `ha_reflect`.
pub const MAX_REFLECT: u32 = 2 * super::MAX_GROUPS;
/// Paths to peers. Sizes `ha_live` and `ha_live_peer`.
pub const MAX_LIVE: u32 = super::MAX_PEERS;

/// Neighbours whose BFD echo packets are looped. Sizes `ha_echo`.
pub const MAX_ECHO: u32 = super::MAX_PEERS;

/// [`Reflector::group`] of the discriminator that stands for the node.
pub const REFLECT_NODE: u32 = u32::MAX;

/// Value of `ha_reflect`, whose key is a discriminator in host order: what the answer tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Reflector {
    /// [`REFLECT_NODE`], for which Up means that the lease is valid; or an index into `ha_group`, for which it
    /// means that the node has the group or claims it.
    pub group: u32,
    /// The least time between requests that is asked for in answers, microseconds.
    pub min_rx_us: u32,
}

/// Key of `ha_live_peer` and `ha_echo`: where a peer's packets come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct LivePeerKey {
    /// The peer's address, v4 as v4-mapped v6.
    pub addr: [u8; 16],
    /// The interface that receives them.
    pub ifindex: u32,
}

/// Value of `ha_echo`, whose key is a neighbour with a BFD session: its echo packets (RFC 5880 section 6.4) are
/// sent back to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct EchoPeer {
    /// The interface's own MAC: what is addressed to another one is for another node to loop.
    pub nic: Mac,
    /// Padding.
    pub pad: [u8; 2],
}

/// Bits of a discriminator of ours that number the probe; the others are [`Live::session`].
pub const SEQUENCE_BITS: u32 = 8;

/// Value of `ha_live`: what has been heard of a peer over one path.
///
/// The agent writes [`Live::session`] before the path has an entry in `ha_live_peer`; everything else is
/// the kernel program's to write. The map is memory-mapped by the agent, so each field is read and
/// written whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Live {
    /// `CLOCK_MONOTONIC` of the newest reply, nanoseconds; 0 if there was none.
    pub replied_ns: u64,
    /// The newest reply in one word, see [`Reply`].
    pub reply: Reply,
    /// `CLOCK_MONOTONIC` of the peer's newest request, nanoseconds; 0 if there was none.
    pub asked_ns: u64,
    /// Replies so far.
    pub replies: u64,
    /// Requests so far.
    pub requests: u64,
    /// The upper 24 bits of the discriminators with which this node asks, in the lower ones of this; 0 if
    /// the slot is free.
    pub session: u32,
    /// What the peer's newest request said about this node, a [`State`](crate::wire::bfd::State).
    pub view: u32,
}

/// What a reply says, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Reply {
    /// The discriminator that it gives back: which probe it answers.
    pub discriminator: u32,
    /// A [`State`](crate::wire::bfd::State).
    pub state: u8,
    /// Number of the diagnostic.
    pub diagnostic: u8,
    /// Padding.
    pub pad: [u8; 2],
}

impl Reply {
    /// As the number that is stored.
    #[must_use]
    #[inline(always)]
    pub const fn to_bits(self) -> u64 {
        let [a, b, c, d] = self.discriminator.to_ne_bytes();
        let [e, f] = self.pad;
        u64::from_ne_bytes([a, b, c, d, self.state, self.diagnostic, e, f])
    }

    /// From the number that is stored.
    #[must_use]
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        let [a, b, c, d, state, diagnostic, e, f] = bits.to_ne_bytes();
        Self {
            discriminator: u32::from_ne_bytes([a, b, c, d]),
            state,
            diagnostic,
            pad: [e, f],
        }
    }
}

const _: () = {
    assert!(size_of::<Reflector>() == 8);
    assert!(size_of::<LivePeerKey>() == 20);
    assert!(size_of::<EchoPeer>() == 8);
    assert!(size_of::<Live>() == 48);
    assert!(size_of::<Reply>() == 8);
    assert!(offset_of!(Live, reply) == 8);
};

#[cfg(test)]
mod tests {
    use super::Reply;

    #[test]
    fn a_reply_is_its_bits() {
        let reply = Reply {
            discriminator: 0x0102_0304,
            state: 3,
            diagnostic: 7,
            pad: [0; 2],
        };
        assert_eq!(Reply::from_bits(reply.to_bits()), reply);
    }
}
