//! Guests of this host, to which virtual IPs can belong.

use std::{collections::BTreeMap, net::IpAddr};

use ha_common::abi::{Mac, Vlan};

/// A guest, by one of its interfaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guest {
    /// Name of the interface that leads to it on this host, as `tap0`.
    pub interface: String,
    /// The MAC of its end.
    pub mac: Mac,
    /// The tags that it expects.
    pub vlan: Vlan,
}

/// `deliver`: to whom the virtual IPs of a group belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The guest that has those which are not below; `None` for this host.
    pub guest: Option<Guest>,
    /// The guests of single virtual IPs.
    pub others: BTreeMap<IpAddr, Guest>,
}

impl Delivery {
    /// The guest that a virtual IP belongs to; `None` if it is this host's own.
    #[must_use]
    pub fn of(&self, vip: IpAddr) -> Option<&Guest> {
        self.others.get(&vip).or(self.guest.as_ref())
    }

    /// All guests; some may come twice.
    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.guest.iter().chain(self.others.values())
    }
}
