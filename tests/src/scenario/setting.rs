//! What the nodes of a scenario share, and how they watch each other.

use std::time::Duration;

use crate::cluster::{AnsweringMac, Service};

/// What is set up before something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// How many v4 and v6 virtual IPs the nodes share.
    pub(super) vips: (u32, u32),
    /// MAC that answers for them.
    pub(super) mac: AnsweringMac,
    /// Time between the probes with which the agents watch each other, if they do.
    pub(super) probes: Option<Duration>,
    /// Whether the addresses are served only where an application runs.
    pub(super) has_application: bool,
    /// Whether the first node has a second interface on which it may serve.
    pub(super) has_second: bool,
    /// Whether the agent is changed for one that was built otherwise.
    pub(super) has_variants: bool,
}

impl Setting {
    /// Advertisements alone tell that a node lives.
    pub(super) const ADVERTS: Self = Self {
        vips: (1, 1),
        mac: AnsweringMac::Virtual,
        probes: None,
        has_application: false,
        has_second: false,
        has_variants: false,
    };
    /// The agents probe each other as often as a quiet host allows.
    pub(super) const PROBES: Self = Self {
        probes: Some(Duration::from_millis(3)),
        ..Self::ADVERTS
    };

    /// The agents probe each other as often as they do by default: what is planned needs nobody's haste, and a machine that
    /// stands still for some milliseconds by itself is not taken for dead.
    pub(super) const PLANNED: Self = Self {
        probes: Some(Duration::from_millis(10)),
        ..Self::ADVERTS
    };

    /// The service of this setting. Where the agents probe each other, the lease may be as long as it is by
    /// default; otherwise it has to end before a peer takes over.
    pub(super) fn service(&self) -> Service {
        let (v4, v6) = self.vips;
        let unprobed = Service::new(v4, v6);
        Service {
            mac: self.mac,
            liveness: self.probes,
            lease: self.probes.map_or(unprobed.lease, |_| LEASE),
            has_application: self.has_application,
            has_second: self.has_second,
            ..unprobed
        }
    }
}

/// The agent's default.
const LEASE: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::{LEASE, Setting};

    #[test]
    fn only_where_peers_are_probed_the_lease_may_outlast_their_patience() {
        let patience = |setting: Setting| setting.service().advert_interval * 19 / 10;
        assert!(Setting::ADVERTS.service().lease <= patience(Setting::ADVERTS));
        assert_eq!(Setting::PROBES.service().lease, LEASE);
        assert_eq!(Setting::PLANNED.service().lease, LEASE);
    }
}
