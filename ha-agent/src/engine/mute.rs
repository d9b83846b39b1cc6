//! Peers that are heard but have never answered a probe: their names, by which they are probed, may be others.
//!
//! A probe to a name that nobody has is never answered, and to its sender that looks as if the peer was not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use ha_core::{time::Time, vrrp::Liveness};

use super::Engine;
use crate::{config::Peer, liveness::Report};

/// How long a peer may be heard without an answer: one that starts is not ready at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked at, and how old an advertisement may be that counts.
const GLANCE: Duration = Duration::from_secs(1);

/// Where it is heard: the interface and the address.
type Place = (u32, IpAddr);

/// Who is heard and has never answered.
#[derive(Debug, Default)]
pub(super) struct Mute {
    /// The newest advertisements.
    heard: BTreeMap<Place, Time>,
    /// Since when they are heard in vain.
    since: BTreeMap<Place, Time>,
    told: BTreeSet<Place>,
    next: Option<Time>,
}

impl Mute {
    /// An advertisement has come.
    pub(super) fn heard(&mut self, now: Time, ifindex: u32, from: IpAddr) {
        self.heard.insert((ifindex, from), now);
    }

    /// What the operator is to know of a peer.
    pub(super) fn note(&self, place: Place, peer: &Peer) -> Option<String> {
        self.told.contains(&place).then(|| text(&peer.name))
    }

    /// Takes note of a way; whether the operator is to be told now.
    fn look(&mut self, now: Time, place: Place, report: &Report) -> bool {
        let is_recent = |at: &Time| is_recent(*at, now);
        let asks = report.requests > 0;
        let is_there = asks || self.heard.get(&place).is_some_and(is_recent);
        let never = match report.liveness {
            None | Some(Liveness::Unknown) => report.replies == 0,
            Some(Liveness::Up | Liveness::Down | Liveness::Lost) => false,
        };
        if !(never && is_there) {
            self.since.remove(&place);
            if !never {
                self.told.remove(&place);
            }
            return false;
        }
        let since = *self.since.entry(place).or_insert(now);
        since + PATIENCE <= now && self.told.insert(place)
    }
}

fn is_recent(at: Time, now: Time) -> bool {
    at + GLANCE * 2 >= now
}

fn text(name: &str) -> String {
    format!(
        "is heard, but has never answered a probe: is its node.name really \"{name}\", and has its configuration a \
         [[peer]] for this node?"
    )
}

impl Engine {
    /// Looks for peers that are heard and have never answered.
    pub(super) fn look_for_mute(&mut self) {
        let now = self.now();
        let Some(peers) = &self.liveness else {
            return;
        };
        if self.mute.next.is_some_and(|next| now < next) {
            return;
        }
        self.mute.next = Some(now + GLANCE);
        self.mute.heard.retain(|_, at| is_recent(*at, now));
        for (way, peer, report) in peers.reports() {
            if self.mute.look(now, (way.ifindex, way.address), &report) {
                let (name, text) = (&peer.name, text(&peer.name));
                tracing::warn!(peer = %name, interface = %way.interface, address = %way.address, "{text}");
                let text = format!("{name} ({} over {}) {text}", way.address, way.interface);
                self.history.node("never_answered", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = (2, IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn at(seconds: u64) -> Time {
        Time::from_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn one_that_is_heard_in_vain_is_told_of_once() {
        let mut mute = Mute::default();
        let never = Report {
            liveness: Some(Liveness::Unknown),
            ..Report::default()
        };
        assert!(!mute.look(at(0), PLACE, &never), "it is not there");
        assert!(!mute.look(at(9), PLACE, &never), "it is not there");
        let told: Vec<_> = (10..20)
            .filter(|second| {
                mute.heard(at(*second), PLACE.0, PLACE.1);
                mute.look(at(*second), PLACE, &never)
            })
            .collect();
        assert_eq!(told, [12]);
        assert!(!mute.look(at(30), PLACE, &never));
        assert!(mute.told.contains(&PLACE), "it is known still");
        let answered = Report {
            liveness: Some(Liveness::Up),
            replies: 1,
            ..Report::default()
        };
        assert!(!mute.look(at(31), PLACE, &answered));
        assert!(mute.told.is_empty());
    }

    #[test]
    fn one_that_asks_is_there_too() {
        let mut mute = Mute::default();
        let asks = Report {
            requests: 9,
            ..Report::default()
        };
        assert!(!mute.look(at(0), PLACE, &asks));
        assert!(mute.look(at(3), PLACE, &asks));
        let silent = Report::default();
        let mut mute = Mute::default();
        assert!(!mute.look(at(0), PLACE, &silent) && !mute.look(at(9), PLACE, &silent));
    }
}
