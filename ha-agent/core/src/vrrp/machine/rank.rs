//! Who outranks whom, and whose advertisements count at all.

use core::{cmp::Ordering, net::IpAddr, time::Duration};

use ha_common::wire::vrrp::PRIORITY_OWNER;

use super::{Hold, Machine};
use crate::{election::Duty, time::Time, vrrp::config::Primary};

/// How an advertiser compares with this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rank {
    Better,
    Worse,
    /// The same priority in a family that does not decide.
    Undecided,
}

impl Machine {
    /// RFC 9568 section 6.4.3: the higher priority, or the same and the greater address, is Active.
    pub(super) fn rank(&self, peer: IpAddr, priority: u8) -> Rank {
        self.rank_against(self.priority, peer, priority)
    }

    /// The same if this node advertised `own`.
    pub(super) fn rank_against(&self, own: u8, peer: IpAddr, priority: u8) -> Rank {
        let by_address = |order| match order {
            Ordering::Greater => Rank::Better,
            Ordering::Less | Ordering::Equal => Rank::Worse,
        };
        match (priority.cmp(&own), peer, self.config.primary) {
            (Ordering::Greater, _, _) => Rank::Better,
            (Ordering::Less, _, _) => Rank::Worse,
            (Ordering::Equal, IpAddr::V4(peer), Primary::V4(own) | Primary::Dual(own, _)) => {
                by_address(peer.cmp(&own))
            }
            (Ordering::Equal, IpAddr::V6(peer), Primary::V6(own)) => by_address(peer.cmp(&own)),
            (Ordering::Equal, IpAddr::V6(_), Primary::V4(_) | Primary::Dual(..))
            | (Ordering::Equal, IpAddr::V4(_), Primary::V6(_)) => Rank::Undecided,
        }
    }

    /// Whether a live Active node of lower priority is to be taken over from. The owner of the
    /// addresses always does (RFC 9568 section 6.1, Preempt_Mode).
    pub(super) fn preempts(&self, now: Time) -> bool {
        let configured = self.config.preempt || self.config.priority.get() == PRIORITY_OWNER;
        let is_started = self.startup_ends.is_some_and(|end| end <= now);
        configured
            && is_started
            && self.duty == Duty::Serve
            && match self.hold {
                Hold::None => true,
                Hold::Operator => false,
                Hold::Until(end) => end <= now,
            }
    }

    /// The owner of the addresses does not wait, as it does not ask for Preempt_Mode either.
    pub(super) const fn preempt_delay(&self) -> Duration {
        match self.config.priority.get() {
            PRIORITY_OWNER => Duration::ZERO,
            _ => self.config.preempt_delay,
        }
    }

    /// Whether an advertisement from `address` can concern this group: of a family it has, from
    /// a peer, and not from the node itself.
    pub(super) fn concerns(&self, address: IpAddr) -> bool {
        let primary = self.config.primary;
        let has_family = match address {
            IpAddr::V4(_) => primary.v4().is_some(),
            IpAddr::V6(_) => primary.v6().is_some(),
        };
        has_family && !primary.contains(address) && self.config.peers.accepts(address)
    }
}
