//! What the operator decides about one virtual router.

use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
    time::Duration,
};
use std::sync::Arc;

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{timers::Centiseconds, version::Version};

/// The own addresses on the group's interface: one for each family in which the group has virtual
/// IPs, and in which it therefore advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primary {
    /// Only IPv4: the interface's primary address (RFC 9568 section 1.7).
    V4(Ipv4Addr),
    /// Only IPv6: a link-local address of the interface.
    V6(Ipv6Addr),
    /// Both.
    Dual(Ipv4Addr, Ipv6Addr),
}

impl Primary {
    /// The own IPv4 address, if the group has that family.
    #[must_use]
    pub const fn v4(self) -> Option<Ipv4Addr> {
        match self {
            Self::V4(v4) | Self::Dual(v4, _) => Some(v4),
            Self::V6(_) => None,
        }
    }

    /// The own IPv6 address, if the group has that family.
    #[must_use]
    pub const fn v6(self) -> Option<Ipv6Addr> {
        match self {
            Self::V6(v6) | Self::Dual(_, v6) => Some(v6),
            Self::V4(_) => None,
        }
    }

    /// Whether `address` is the node's own.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4() == Some(v4),
            IpAddr::V6(v6) => self.v6() == Some(v6),
        }
    }
}

/// The other nodes of the group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Peers {
    /// Whoever is on the network: advertisements go to the multicast group.
    #[default]
    Multicast,
    /// These, by the addresses that they advertise from, one for each family of the group:
    /// advertisements go to each of them, and those of anybody else are not heeded.
    Unicast(Arc<[IpAddr]>),
}

impl Peers {
    /// Whether advertisements from `address` count.
    #[must_use]
    pub fn accepts(&self, address: IpAddr) -> bool {
        match self {
            Self::Multicast => true,
            Self::Unicast(peers) => peers.contains(&address),
        }
    }

    /// Whether an advertisement to this node alone is known to answer its claim if it lets go.
    ///
    /// Unicast peers send everything to this node alone. A release that only one other node can have
    /// sent is as good as an acknowledgement, as there is no third one that heard it, too.
    pub(super) fn is_answer(&self, priority: u8) -> bool {
        match self {
            Self::Multicast => true,
            Self::Unicast(peers) => {
                let v4 = peers.iter().filter(|peer| peer.is_ipv4()).count();
                let is_pair = v4 <= 1 && peers.len() - v4 <= 1;
                is_pair && priority == PRIORITY_RELEASE
            }
        }
    }
}

/// One virtual router on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrrpConfig {
    /// Version of the protocol; version 2 has no IPv6, and whole seconds.
    pub version: Version,
    /// Virtual router id.
    pub vrid: NonZeroU8,
    /// Priority; 255 is the owner of the addresses.
    pub priority: NonZeroU8,
    /// Advertisement_Interval: how often this node advertises while it is Active or claims.
    pub advert_interval: Centiseconds,
    /// Preempt_Mode: whether to take over from an Active node of lower priority.
    pub preempt: bool,
    /// How long a live node of lower priority is left Active before it is preempted, from when it was
    /// first heard with nobody of the same or a higher priority beside it.
    ///
    /// It does not delay the replacement of a silent node, nor the owner of the addresses.
    pub preempt_delay: Duration,
    /// How long after the first start a Backup takes over from nobody, unless the operator promotes
    /// it: interfaces and switch ports may need that long until advertisements come through.
    pub startup_delay: Duration,
    /// The own addresses: senders of advertisements and what decides between equal priorities.
    pub primary: Primary,
    /// The other nodes.
    pub peers: Peers,
    /// How long a claimer waits, after the last word of the node it takes over from, before it does
    /// without an acknowledgement.
    ///
    /// At least the longest lease among the peers plus the longest delay of a message: then even a
    /// peer that was stopped when it should have let go has been silenced by its kernel.
    pub yield_grace: Duration,
    /// How long a node that was asked to take over lets the owner finish what it has begun, before it claims. In that
    /// time the owner hands on what is new. Zero: it claims at once.
    pub settle: Duration,
    /// How long a Backup claims before it takes over from a silent Active node, or from one that
    /// has released the group.
    ///
    /// Zero, which is the RFC's behaviour, is right for two nodes. With more, two Backups can come
    /// to take over at the same moment, because their priorities are close, or one was started,
    /// released or paused meanwhile; at least twice the longest delay of a message lets them hear
    /// each other before one answers.
    pub contention: Duration,
    /// How long a claim lasts that is made because a peer was lost: as long as it takes to tell that peer,
    /// which may hear this node though it is not heard.
    pub loss_grace: Duration,
    /// How much longer a claim lasts that is made because the Active node's advertisements stopped, and liveness
    /// says nothing of it: what the longest lease among the peers has beyond what their missing advertisements
    /// alone allow. Until then a node that hangs may answer.
    pub silent_grace: Duration,
    /// Whether a witness must have answered before this node takes over from one that is lost or silent.
    pub needs_witness: bool,
    /// Whether there is exactly one other node, so that there are no rivals: what is released is taken over
    /// at once, without the skew that decides between rivals.
    pub is_pair: bool,
    /// Whether it is a member of a sync group: it takes over only on [`Input::Join`].
    ///
    /// [`Input::Join`]: crate::election::Input::Join
    pub is_synced: bool,
}
