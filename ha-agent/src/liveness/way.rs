//! The ways to the peers, and what the data path has to know of them.

use std::{collections::BTreeMap, net::IpAddr};

use anyhow::{Context, Result};
use ha_common::abi::{LivePeerKey, REFLECT_NODE, Reflector};

use super::{Discriminator, Router, packet};
use crate::{config::Config, dataplane, net::Addresses};

/// The least time between requests that a node asks for, microseconds.
const MIN_RX_US: u32 = 1_000;

/// A way to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Its slot in `ha_live`, which stays while the way does.
    pub slot: u32,
    /// The peer's place in the configuration.
    pub peer: usize,
    /// The peer's address there.
    pub address: IpAddr,
    /// Index of the interface.
    pub ifindex: u32,
    /// Name of the interface.
    pub interface: String,
    /// Index and name of what has the host's addresses there: the bridge, if the interface is a port of one.
    pub home: (u32, String),
    /// This node's address there.
    pub own: IpAddr,
}

/// The ways of the configuration, with the addresses from which they are probed. `interface` tells the index of an
/// interface, what has the host's addresses there, and these.
///
/// # Errors
/// If an interface has no address of the peer's family.
pub fn ways(
    config: &Config,
    interface: impl Fn(&str) -> Option<(u32, (u32, String), Addresses)>,
) -> Result<Vec<Way>> {
    let mut ways = Vec::new();
    for (peer, written) in config.peers.iter().enumerate() {
        for path in &written.paths {
            let (ifindex, home, own) = interface(&path.interface)
                .with_context(|| format!("there is no interface {}", path.interface))?;
            let own = match path.address {
                IpAddr::V4(_) => own.v4.map(IpAddr::V4),
                IpAddr::V6(_) => own.link_local.map(IpAddr::V6),
            };
            let own = own.with_context(|| {
                format!(
                    "{} has no address from which {} could be probed: `ip address add` one",
                    path.interface, path.address
                )
            })?;
            ways.push(Way {
                slot: ways.len() as u32,
                peer,
                address: path.address,
                ifindex,
                interface: path.interface.clone(),
                home,
                own,
            });
        }
    }
    Ok(ways)
}

/// What the data path has to know: for whom it answers, and whom it stamps. `groups` are the slots in
/// `ha_group` of those that have a virtual router, and its identity.
#[must_use]
pub fn desired(
    config: &Config,
    ways: &[Way],
    groups: impl Iterator<Item = (u32, Router)>,
) -> dataplane::Liveness {
    let own = Discriminator::of_node(&config.node.name);
    let reflector = |group| Reflector {
        group,
        min_rx_us: MIN_RX_US,
    };
    let mut reflectors = BTreeMap::from([(own.get(), reflector(REFLECT_NODE))]);
    for (slot, router) in groups {
        reflectors.insert(own.of_group(router).get(), reflector(slot));
    }
    let paths = ways.iter().map(|way| {
        let addr = match way.address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        let (ifindex, slot) = (way.ifindex, way.slot);
        (LivePeerKey { addr, ifindex }, (slot, packet::session(slot)))
    });
    dataplane::Liveness {
        // Without peers there is nobody to answer.
        reflectors: if ways.is_empty() {
            BTreeMap::new()
        } else {
            reflectors
        },
        paths: paths.collect(),
    }
}
