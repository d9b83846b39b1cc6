//! What the kernel program must know of the virtual routers, to tell an advertisement that outranks
//! this node.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use ha_common::abi::{
    ROUTER_BY_ADDRESS, ROUTER_UNICAST, ROUTER_V4, ROUTER_V6, Router, RouterKey, RouterPeerKey, Vlan,
};

use crate::vrrp::{Peers, Primary, Version, VrrpConfig};

/// Contents of `ha_router` and `ha_vrrp_peer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routers {
    /// `ha_router`.
    pub routers: BTreeMap<RouterKey, Router>,
    /// `ha_vrrp_peer`.
    pub peers: BTreeSet<RouterPeerKey>,
}

/// One change of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouterWrite {
    /// Remove a virtual router.
    Remove(RouterKey),
    /// Insert a peer.
    PutPeer(RouterPeerKey),
    /// Insert or replace a virtual router.
    Put(RouterKey, Router),
    /// Remove a peer.
    RemovePeer(RouterPeerKey),
}

impl Routers {
    /// Adds the group in `slot`: a virtual router in each of its families.
    pub fn add(&mut self, slot: u32, ifindex: u32, vlan: Vlan, config: &VrrpConfig) {
        let unicast = match &config.peers {
            Peers::Multicast => 0,
            Peers::Unicast(peers) => {
                let peers = peers.iter().map(|peer| RouterPeerKey {
                    group: slot,
                    addr: octets(*peer),
                });
                self.peers.extend(peers);
                ROUTER_UNICAST
            }
        };
        let seconds = match config.version {
            Version::V2 => config.advert_interval.whole_seconds().unwrap_or_default(),
            Version::V3 => 0,
        };
        for (ip, addr, decides) in families(config.primary).into_iter().flatten() {
            let key = RouterKey {
                ifindex,
                vlan,
                ip,
                vrid: config.vrid.get(),
                pad: [0; 2],
            };
            let router = Router {
                group: slot,
                version: config.version.number(),
                seconds,
                flags: unicast | if decides { ROUTER_BY_ADDRESS } else { 0 },
                pad: 0,
                addr: octets(addr),
            };
            self.routers.insert(key, router);
        }
    }

    /// The writes that lead here from `actual`, in an order in which nobody who does not count is
    /// ever believed: peers before the router that heeds only them, and after it.
    #[must_use]
    pub fn writes_from(&self, actual: &Self) -> Vec<RouterWrite> {
        let gone = actual
            .routers
            .keys()
            .filter(|key| !self.routers.contains_key(key));
        let changed =
            |(key, router): &(&RouterKey, &Router)| actual.routers.get(key) != Some(router);
        gone.map(|key| RouterWrite::Remove(*key))
            .chain(
                self.peers
                    .difference(&actual.peers)
                    .copied()
                    .map(RouterWrite::PutPeer),
            )
            .chain(
                self.routers
                    .iter()
                    .filter(changed)
                    .map(|(key, router)| RouterWrite::Put(*key, *router)),
            )
            .chain(
                actual
                    .peers
                    .difference(&self.peers)
                    .copied()
                    .map(RouterWrite::RemovePeer),
            )
            .collect()
    }
}

/// Version of IP, own address, and whether addresses decide there between equal priorities: in IPv4
/// if the group has it.
fn families(primary: Primary) -> [Option<(u8, IpAddr, bool)>; 2] {
    let v4 = primary.v4().map(|v4| (ROUTER_V4, v4.into(), true));
    let v6 = primary.v6().map(|v6| (ROUTER_V6, v6.into(), v4.is_none()));
    [v4, v6]
}

/// An address as the maps hold it: v4 as v4-mapped v6.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

#[cfg(test)]
mod tests {
    use core::{
        net::{Ipv4Addr, Ipv6Addr},
        num::NonZeroU8,
        time::Duration,
    };

    use super::*;
    use crate::vrrp::Centiseconds;

    const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);

    fn config(primary: Primary, peers: &[Ipv4Addr]) -> VrrpConfig {
        VrrpConfig {
            version: Version::V3,
            vrid: NonZeroU8::new(51).unwrap(),
            priority: NonZeroU8::MIN,
            advert_interval: Centiseconds::new(300).unwrap(),
            preempt: true,
            preempt_delay: Duration::ZERO,
            startup_delay: Duration::ZERO,
            primary,
            peers: if peers.is_empty() {
                Peers::Multicast
            } else {
                Peers::Unicast(peers.iter().copied().map(IpAddr::from).collect())
            },
            settle: Duration::ZERO,
            loss_grace: Duration::ZERO,
            silent_grace: Duration::ZERO,
            needs_witness: false,
            is_pair: false,
            is_synced: false,
            yield_grace: Duration::ZERO,
            contention: Duration::ZERO,
        }
    }

    fn of(config: &VrrpConfig) -> Routers {
        let mut routers = Routers::default();
        routers.add(3, 7, Vlan::default(), config);
        routers
    }

    fn only(routers: &Routers) -> (RouterKey, Router) {
        let all: Vec<_> = routers.routers.iter().collect();
        let [(key, router)] = all[..] else {
            panic!("{all:?}");
        };
        (*key, *router)
    }

    #[test]
    fn a_group_is_a_router_in_each_of_its_families() {
        let both = of(&config(Primary::Dual(V4, V6), &[]));
        let flags: Vec<_> = both
            .routers
            .iter()
            .map(|(key, router)| (key.ip, router.flags))
            .collect();
        assert_eq!(flags, [(ROUTER_V4, ROUTER_BY_ADDRESS), (ROUTER_V6, 0)]);
        let (key, router) = only(&of(&config(Primary::V6(V6), &[])));
        assert_eq!((key.ip, router.flags), (ROUTER_V6, ROUTER_BY_ADDRESS));
        assert_eq!((key.ifindex, key.vrid, router.group), (7, 51, 3));
        assert_eq!((router.version, router.seconds), (3, 0));
        assert_eq!(router.addr, V6.octets());
    }

    #[test]
    fn version_2_names_its_seconds() {
        let version2 = VrrpConfig {
            version: Version::V2,
            ..config(Primary::V4(V4), &[])
        };
        let (_, router) = only(&of(&version2));
        assert_eq!((router.version, router.seconds), (2, 3));
        assert_eq!(router.addr, V4.to_ipv6_mapped().octets());
    }

    #[test]
    fn nobody_who_does_not_count_is_believed_in_between() {
        let before = of(&config(Primary::Dual(V4, V6), &[PEER]));
        let after = of(&config(Primary::V4(V4), &[OTHER]));
        let peer = |addr: Ipv4Addr| RouterPeerKey {
            group: 3,
            addr: addr.to_ipv6_mapped().octets(),
        };
        let (key4, _) = only(&after);
        let key6 = RouterKey {
            ip: ROUTER_V6,
            ..key4
        };
        assert_eq!(
            after.writes_from(&before),
            [
                RouterWrite::Remove(key6),
                RouterWrite::PutPeer(peer(OTHER)),
                RouterWrite::RemovePeer(peer(PEER)),
            ]
        );
        let multicast = of(&config(Primary::V4(V4), &[]));
        let (_, unicast) = only(&after);
        assert_eq!(
            after.writes_from(&multicast),
            [
                RouterWrite::PutPeer(peer(OTHER)),
                RouterWrite::Put(key4, unicast)
            ]
        );
        assert_eq!(after.writes_from(&after), []);
    }
}
