//! What the nodes of a cluster share, and what moves it.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use crate::address;

/// What moves the virtual IPs.
#[derive(Clone, Debug)]
pub enum System {
    /// This project's agent, by the path of its program.
    HaAgent(PathBuf),
    /// keepalived from the system's packages.
    Keepalived,
}

impl System {
    /// Whether it is this project's, so that its promises hold.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        match self {
            Self::HaAgent(_) => true,
            Self::Keepalived => false,
        }
    }
}

/// Which MAC the agent answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweringMac {
    /// The virtual router's, which moves.
    Virtual,
    /// That of the node's own interface, as keepalived usually does.
    Interface,
}

/// What the nodes share.
#[derive(Clone, Debug)]
pub struct Service {
    /// All virtual IPs, which move together.
    pub vips: Vec<IpAddr>,
    /// VRRP virtual router id.
    pub vrid: u8,
    /// Time between advertisements.
    pub advert_interval: Duration,
    /// MAC that answers for the virtual IPs.
    pub mac: AnsweringMac,
    /// Time between the probes with which the agents watch each other, if they do.
    pub liveness: Option<Duration>,
    /// Whether the first node has a second interface on which it may serve it.
    pub has_second: bool,
    /// Whether it is served only where an application runs, which the nodes watch.
    pub has_application: bool,
    /// Time for which an agent that is not heard of by its own kernel keeps the addresses.
    pub lease: Duration,
}

impl Service {
    /// A service with this many virtual IPs of each family, advertised ten times a second.
    #[must_use]
    pub fn new(v4: u32, v6: u32) -> Self {
        let v4 = (0..v4).map(|index| IpAddr::V4(address::vip4(index)));
        let v6 = (0..v6).map(|index| IpAddr::V6(address::vip6(index)));
        Self {
            vips: v4.chain(v6).collect(),
            vrid: 51,
            mac: AnsweringMac::Virtual,
            liveness: None,
            has_application: false,
            has_second: false,
            advert_interval: Duration::from_millis(100),
            // The longest that ends before any peer takes over.
            lease: Duration::from_millis(190),
        }
    }

    /// The virtual IPs that are probed: the first, the one in the middle and the last.
    #[must_use]
    pub fn sampled(&self) -> Vec<IpAddr> {
        let mut sampled: Vec<_> = [
            self.vips.first(),
            self.vips.get(self.vips.len() / 2),
            self.vips.last(),
        ]
        .into_iter()
        .flatten()
        .copied()
        .collect();
        sampled.dedup();
        sampled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_middle_and_last_are_probed() {
        let service = Service::new(9_000, 1_000);
        let expected: [IpAddr; 3] = [
            address::vip4(0).into(),
            address::vip4(5_000).into(),
            address::vip6(999).into(),
        ];
        assert_eq!(service.sampled(), expected);
        assert_eq!(Service::new(1, 1).sampled().len(), 2);
        assert_eq!(Service::new(1, 0).sampled().len(), 1);
    }
}
