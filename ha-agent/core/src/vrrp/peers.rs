//! The advertisers that a node has heard, and until when each must be taken for alive.

use core::net::IpAddr;

use super::{packet::Advertisement, timers::Centiseconds};
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
pub(super) struct Advertisers(Vec<Peer>);

impl Advertisers {
    /// Takes note of an advertisement that does not let go. `own_priority` is the listener's
    /// configured one, and decides its skew.
    pub(super) fn note(
        &mut self,
        now: Time,
        own_priority: u8,
        address: IpAddr,
        advert: &Advertisement,
    ) -> Peer {
        let down = advert
            .version
            .active_down_interval(own_priority, advert.max_advert_interval);
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

    /// Forgets who has been silent for too long, but for those that are known to be alive.
    pub(super) fn expire(&mut self, now: Time, is_alive: impl Fn(IpAddr) -> bool) {
        self.0
            .retain(|peer| now < peer.expires || is_alive(peer.address));
    }

    /// Whether the best peer does not advertise any more, or there is none.
    pub(super) fn is_best_silent(&self, now: Time) -> bool {
        self.best().is_none_or(|best| best.expires <= now)
    }

    /// Forgets everybody who does not count.
    pub(super) fn keep(&mut self, counts: impl Fn(IpAddr) -> bool) {
        self.0.retain(|peer| counts(peer.address));
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The advertiser at `address`, if it is known.
    pub(super) fn find(&self, address: IpAddr) -> Option<Peer> {
        self.0.iter().copied().find(|peer| peer.address == address)
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

#[cfg(test)]
mod tests {
    use core::{
        net::{Ipv4Addr, Ipv6Addr},
        num::NonZeroU8,
        time::Duration,
    };

    use super::{Advertisement, Advertisers, Centiseconds, IpAddr, MAX, Time};
    use crate::vrrp::{Addresses, Version};

    const fn v4(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    const fn v6(last: u16) -> IpAddr {
        IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last))
    }

    const fn at(seconds: u64) -> Time {
        Time::from_origin(Duration::from_secs(seconds))
    }

    fn note(peers: &mut Advertisers, now: Time, address: IpAddr, priority: u8) {
        let advert = Advertisement {
            version: Version::V3,
            vrid: NonZeroU8::MIN,
            priority,
            max_advert_interval: Centiseconds::DEFAULT,
            addresses: Addresses::V4(Vec::new()),
        };
        peers.note(now, 128, address, &advert);
    }

    fn best(peers: &Advertisers) -> Option<IpAddr> {
        peers.best().map(|peer| peer.address)
    }

    #[test]
    fn the_best_has_the_highest_priority_then_ipv4_then_the_greatest_address() {
        let mut peers = Advertisers::default();
        assert_eq!(best(&peers), None);
        for (address, priority, expected) in [
            (v6(9), 100, v6(9)),
            (v4(1), 100, v4(1)),
            (v4(2), 100, v4(2)),
            (v6(1), 101, v6(1)),
            (v6(1), 99, v4(2)),
        ] {
            note(&mut peers, at(0), address, priority);
            assert_eq!(best(&peers), Some(expected));
        }
    }

    #[test]
    fn silence_of_an_active_down_interval_ends_a_life() {
        let mut peers = Advertisers::default();
        note(&mut peers, at(0), v4(1), 100);
        note(&mut peers, at(1), v4(2), 50);
        let end = at(0) + Duration::from_millis(3_500);
        peers.expire(end - Duration::from_nanos(1), |_| false);
        assert_eq!(best(&peers), Some(v4(1)));
        let mut living = peers.clone();
        living.expire(end, |address| address == v4(1));
        assert!(living.knows(v4(1)), "who lives is not forgotten");
        peers.expire(end, |_| false);
        assert_eq!(best(&peers), Some(v4(2)));
    }

    #[test]
    fn both_addresses_of_a_peer_are_forgotten_but_nobody_elses() {
        let mut peers = Advertisers::default();
        for (address, priority) in [(v4(1), 100), (v6(1), 100), (v4(2), 100), (v6(2), 90)] {
            note(&mut peers, at(0), address, priority);
        }
        peers.forget(v4(3));
        peers.forget(v4(1));
        let left = [v4(1), v6(1), v4(2), v6(2)].map(|address| peers.knows(address));
        assert_eq!(left, [false, false, true, true]);
    }

    #[test]
    fn noise_is_bounded_and_the_oldest_goes() {
        let mut peers = Advertisers::default();
        for last in 0..=MAX as u16 {
            note(&mut peers, at(0), v6(last), 1);
        }
        assert_eq!(peers.0.len(), MAX);
        assert!(!peers.knows(v6(0)));
        assert!(peers.knows(v6(MAX as u16)));
    }
}
