//! The advertisers that a node has heard, and until when each must be taken for alive.

use core::net::IpAddr;

use super::{
    packet::Advertisement,
    timers::{self, Centiseconds},
};
use crate::time::Time;

/// More advertisers than any group has; what goes beyond is noise, and the oldest is dropped.
const MAX: usize = 64;

/// An advertiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// Where it advertises from.
    pub(super) address: IpAddr,
    /// What it last said.
    pub(super) priority: u8,
    /// How often it advertises.
    pub(super) interval: Centiseconds,
    /// When it was last heard.
    pub(super) heard: Time,
    /// When its silence will have lasted an Active_Down_Interval.
    pub(super) expires: Time,
}

/// Advertisers that have neither let go nor been silent for an Active_Down_Interval.
///
/// A peer of a group with both families advertises from two addresses and is here twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers(Vec<Peer>);

impl Peers {
    /// Takes note of an advertisement that does not let go. `own_priority` is the listener's
    /// configured one, and decides its skew.
    pub(super) fn note(
        &mut self,
        now: Time,
        own_priority: u8,
        address: IpAddr,
        advert: &Advertisement,
    ) -> Peer {
        let down = timers::active_down_interval(own_priority, advert.max_advert_interval);
        self.0.retain(|peer| peer.address != address);
        if self.0.len() == MAX {
            self.0.remove(0);
        }
        let peer = Peer {
            address,
            priority: advert.priority,
            interval: advert.max_advert_interval,
            heard: now,
            expires: now + down,
        };
        self.0.push(peer);
        peer
    }

    /// Forgets a peer that has let go, its address in the other family included, which is known by
    /// its having the same priority.
    pub(super) fn forget(&mut self, address: IpAddr) {
        let Some(&gone) = self.0.iter().find(|peer| peer.address == address) else {
            return;
        };
        self.0.retain(|peer| {
            let is_twin =
                peer.priority == gone.priority && peer.address.is_ipv4() != address.is_ipv4();
            peer.address != address && !is_twin
        });
    }

    /// Forgets who has been silent for too long.
    pub(super) fn expire(&mut self, now: Time) {
        self.0.retain(|peer| now < peer.expires);
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether `address` is known.
    pub(super) fn knows(&self, address: IpAddr) -> bool {
        self.0.iter().any(|peer| peer.address == address)
    }

    /// Whether nobody is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The peer that is, or is about to be, Active: the highest priority, by its IPv4 address if it
    /// has both.
    pub(super) fn best(&self) -> Option<Peer> {
        let rank = |peer: &Peer| (peer.priority, peer.address.is_ipv4(), peer.address);
        self.0.iter().copied().max_by_key(rank)
    }
}
