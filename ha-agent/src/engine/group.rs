//! A group at run time.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::{Duration, SystemTime},
};

use ha_common::abi::{Mac, Vlan};
use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    manual::Manual,
    time::Time,
    track::Fitness,
    vrrp::{self, Addresses, Advertisement, ChecksumChoice, Machine, Primary},
};

use super::answers::Answers;
use crate::config::{Delivery, track::Track};

/// A group of virtual IPs.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// Index into `ha_group`.
    pub(super) slot: u32,
    /// Index into the engine's ports: where it is served now.
    pub(super) port: usize,
    /// Where it may be served, in order.
    pub(super) ways: Vec<usize>,
    /// Which of them reach no ping target that another one has reached.
    pub(super) cut: Vec<bool>,
    /// How long a better way must have been well before it goes back.
    pub(super) returns_after: Option<Duration>,
    /// When it goes back.
    pub(super) returns_at: Option<Time>,
    pub(super) ifindex: u32,
    pub(super) vlan: Vlan,
    /// MAC that answers for IPv4.
    pub(super) mac4: Mac,
    /// MAC that answers for IPv6.
    pub(super) mac6: Mac,
    pub(super) router: bool,
    /// `GROUP_*` bits for the map.
    pub(super) flags: u16,
    /// How it has come to its MACs.
    pub(super) answers: Answers,
    /// Places for the announcer: what is removed leaves a hole.
    pub(super) vips: Vec<Option<IpAddr>>,
    /// To whom they belong.
    pub(super) delivery: Delivery,
    pub(super) election: Kind,
    /// The configured priority; 0 if the election has none.
    pub(super) base: u8,
    /// The checks that concern it, and what they do.
    pub(super) tracks: Vec<Track>,
    /// What they amount to.
    pub(super) fitness: Fitness,
    /// Its sync group, by its place in the configuration.
    pub(super) sync: Option<usize>,
    /// The Active peer, if known.
    pub(super) active: Option<IpAddr>,
    /// The last change of role.
    pub(super) changed: Option<Change>,
}

impl Group {
    /// Its virtual IPs.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        self.vips.iter().flatten().copied().collect()
    }
}

/// A change of role.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) at: SystemTime,
    pub(super) cause: Cause,
}

impl Change {
    pub(super) fn now(cause: Cause) -> Self {
        Self {
            at: SystemTime::now(),
            cause,
        }
    }
}

/// Who decides about the group.
#[derive(Debug)]
pub(super) enum Kind {
    Manual(Manual),
    Vrrp(Box<Vrrp>),
}

/// An election by VRRP and what its advertisements say.
#[derive(Debug)]
pub(super) struct Vrrp {
    pub(super) machine: Machine,
    pub(super) checksum: ChecksumChoice,
}

impl Group {
    /// The virtual IPs that are this host's own.
    pub(super) fn own_vips(&self) -> impl Iterator<Item = IpAddr> {
        let vips = self.vips.iter().copied().flatten();
        vips.filter(|vip| self.delivery.of(*vip).is_none())
    }
}

impl Kind {
    /// The word in the status.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Manual(_) => "manual",
            Self::Vrrp(_) => "vrrp",
        }
    }

    pub(super) const fn vrrp(&self) -> Option<&Vrrp> {
        match self {
            Self::Manual(_) => None,
            Self::Vrrp(vrrp) => Some(vrrp),
        }
    }
}

impl Election for Kind {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Command> {
        match self {
            Self::Manual(manual) => manual.handle(now, input),
            Self::Vrrp(vrrp) => vrrp.machine.handle(now, input),
        }
    }

    fn deadline(&self) -> Option<Time> {
        match self {
            Self::Manual(manual) => manual.deadline(),
            Self::Vrrp(vrrp) => vrrp.machine.deadline(),
        }
    }

    fn role(&self) -> Role {
        match self {
            Self::Manual(manual) => manual.role(),
            Self::Vrrp(vrrp) => vrrp.machine.role(),
        }
    }

    fn priority(&self) -> u8 {
        match self {
            Self::Manual(manual) => manual.priority(),
            Self::Vrrp(vrrp) => vrrp.machine.priority(),
        }
    }
}

impl Vrrp {
    /// The families in which the group advertises.
    pub(super) const fn primary(&self) -> Primary {
        self.machine.config().primary
    }

    /// The configured peers; empty for all on the network.
    pub(super) fn peers(&self) -> Vec<IpAddr> {
        match &self.machine.config().peers {
            vrrp::Peers::Multicast => Vec::new(),
            vrrp::Peers::Unicast(peers) => peers.to_vec(),
        }
    }

    /// The advertisement that carries as many of `vips` as fit, in one family.
    pub(super) fn advertisement(
        &self,
        priority: u8,
        vips: &[Option<IpAddr>],
        v4: bool,
    ) -> Advertisement {
        let config = self.machine.config();
        let vips = vips.iter().copied().flatten();
        let addresses = if v4 {
            let own = vips.filter_map(|vip| match vip {
                IpAddr::V4(v4) => Some(v4),
                IpAddr::V6(_) => None,
            });
            Addresses::V4(own.take(Addresses::MAX_V4).collect())
        } else {
            let own = vips.filter_map(|vip| match vip {
                IpAddr::V4(_) => None,
                IpAddr::V6(v6) => Some(v6),
            });
            Addresses::V6(link_local_first(own))
        };
        Advertisement {
            version: config.version,
            vrid: config.vrid,
            priority,
            max_advert_interval: config.advert_interval,
            addresses,
        }
    }
}

/// The addresses of an IPv6 advertisement, of which the first must be link-local (RFC 9568 section
/// 5.2.9). The configuration sees to it that there is one.
fn link_local_first(vips: impl Iterator<Item = Ipv6Addr>) -> Vec<Ipv6Addr> {
    let (mut first, others): (Vec<_>, Vec<_>) = vips.partition(Ipv6Addr::is_unicast_link_local);
    first.extend(others);
    first.truncate(vrrp::Addresses::MAX_V6);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn a_link_local_virtual_ip_comes_first() {
        let vips = [v6("2001:db8::1"), v6("fe80::51"), v6("2001:db8::2")];
        let listed = link_local_first(vips.into_iter());
        assert_eq!(
            listed,
            [v6("fe80::51"), v6("2001:db8::1"), v6("2001:db8::2")]
        );
    }

    #[test]
    fn a_frame_holds_so_many() {
        let many = (0..1000).map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        assert_eq!(link_local_first(many).len(), vrrp::Addresses::MAX_V6);
    }
}
