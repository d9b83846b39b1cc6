//! What became of each probe.

use std::{net::IpAddr, time::Duration};

use serde::Serialize;

/// A probe without an answer by then is lost.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A datagram to the echo service behind the virtual IP.
    Udp,
    /// A TCP connection to the echo service, to the first byte of its greeting.
    Tcp,
    /// ICMP or ICMPv6 echo.
    Icmp,
    /// ARP request, broadcast: every node hears it.
    Arp,
    /// Neighbour solicitation, multicast: every node hears it.
    Ns,
}

impl Kind {
    /// Name for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP connect",
            Self::Icmp => "ICMP echo",
            Self::Arp => "ARP",
            Self::Ns => "ND",
        }
    }

    /// Whether a second answer can only mean a second owner.
    ///
    /// The network may duplicate a datagram, but two nodes that share a virtual MAC give
    /// word-for-word the same answer to "who has this address".
    const fn one_answer_only(self) -> bool {
        match self {
            Self::Udp | Self::Tcp | Self::Icmp => false,
            Self::Arp | Self::Ns => true,
        }
    }
}

/// A set of nodes, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owners(u8);

impl Owners {
    /// The set of one node.
    #[must_use]
    pub const fn one(node: u8) -> Self {
        Self(1 << node)
    }

    /// Adds a node.
    pub const fn insert(&mut self, node: u8) {
        self.0 |= 1 << node;
    }

    /// Whether the node is in the set.
    #[must_use]
    pub const fn contains(self, node: u8) -> bool {
        self.0 & 1 << node != 0
    }

    /// Whether a node other than this one is in the set.
    #[must_use]
    pub const fn any_but(self, node: u8) -> bool {
        self.0 & !(1 << node) != 0
    }

    /// Nodes in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether nobody is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// When it was sent, since the start of the measurement.
    pub sent: Duration,
    /// Time to the first answer.
    pub latency: Option<Duration>,
    /// The nodes that answered, as far as they are known.
    pub owners: Owners,
    /// Answers that came back.
    pub answers: u8,
}

impl Probe {
    /// Whether an answer came in time.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.latency.is_some_and(|latency| latency <= PATIENCE)
    }
}

/// Which probe an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this number.
    Number(u32),
    /// The last one before the answer whose number is this modulo the number of slots.
    Slot(u32),
}

/// Senders among which ARP and ND probes take turns, see [`super::solicit`].
pub(super) const SLOTS: u32 = 1024;

/// The probes of one kind to one virtual IP, in the order sent.
#[derive(Clone, Debug)]
pub struct Track {
    /// How they ask.
    pub kind: Kind,
    /// The virtual IP.
    pub target: IpAddr,
    /// Planned time from one to the next.
    pub spacing: Duration,
    /// The probes.
    pub probes: Vec<Probe>,
}

impl Track {
    /// A track without probes yet.
    #[must_use]
    pub const fn new(kind: Kind, target: IpAddr, spacing: Duration) -> Self {
        Self {
            kind,
            target,
            spacing,
            probes: Vec::new(),
        }
    }

    /// Whether more than one node answered the probe.
    #[must_use]
    pub const fn is_dual(&self, probe: &Probe) -> bool {
        probe.owners.len() > 1 || (self.kind.one_answer_only() && probe.answers > 1)
    }

    /// The probe that an answer received `at` belongs to.
    pub(super) fn find(&mut self, which: Which, at: Duration) -> Option<&mut Probe> {
        let index = match which {
            Which::Number(number) => number as usize,
            Which::Slot(slot) => {
                // The receive stamp is converted from another clock and can be early by the
                // inaccuracy of that; never by as much as a round of the slots takes.
                const INACCURACY: Duration = Duration::from_millis(5);
                let sent_by_then = self
                    .probes
                    .partition_point(|probe| probe.sent <= at + INACCURACY);
                let last = u32::try_from(sent_by_then.checked_sub(1)?).ok()?;
                let back = (last % SLOTS + SLOTS - slot % SLOTS) % SLOTS;
                last.checked_sub(back)? as usize
            }
        };
        self.probes.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn track(kind: Kind, probes: u32) -> Track {
        let mut track = Track::new(kind, Ipv4Addr::LOCALHOST.into(), MS);
        track.probes = (0..probes)
            .map(|number| Probe {
                sent: MS * number,
                ..Probe::default()
            })
            .collect();
        track
    }

    #[test]
    fn a_slot_means_its_last_probe_before_the_answer() {
        let mut track = track(Kind::Arp, 3000);
        let mut sent = |slot, at: u32| track.find(Which::Slot(slot), MS * at).map(|p| p.sent);
        assert_eq!(sent(7, 10), Some(MS * 7));
        assert_eq!(sent(7, 1020), Some(MS * 7));
        assert_eq!(sent(7, 1031), Some(MS * 1031));
        assert_eq!(sent(7, 2999), Some(MS * 2055));
        assert_eq!(sent(900, 10), None);
    }

    #[test]
    fn a_second_answer_is_a_second_owner_only_where_there_may_be_one() {
        let twice = Probe {
            owners: Owners::one(0),
            answers: 2,
            ..Probe::default()
        };
        assert!(track(Kind::Arp, 0).is_dual(&twice));
        assert!(!track(Kind::Udp, 0).is_dual(&twice));

        let mut by_both = twice;
        by_both.owners.insert(1);
        assert!(track(Kind::Udp, 0).is_dual(&by_both));
    }

    #[test]
    fn an_answer_after_the_patience_is_a_loss() {
        let late = Probe {
            latency: Some(PATIENCE + MS),
            ..Probe::default()
        };
        assert!(!late.answered());
    }
}
