//! `ha_echo`: whose BFD echo packets the data path sends back.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use anyhow::{Context, Result, ensure};
use aya::maps::{HashMap, Map};
use ha_common::abi::{EchoPeer, LivePeerKey, MAX_ECHO, Mac, map};

use super::{PinDir, live::only, maps::open};

/// What the map has to hold for these neighbours, when `nics` are the interfaces by index.
///
/// # Errors
/// If an interface is missing, or there are too many neighbours.
pub(super) fn entries(
    nics: &BTreeMap<u32, Mac>,
    neighbours: &BTreeSet<(IpAddr, u32)>,
) -> Result<BTreeMap<LivePeerKey, EchoPeer>> {
    ensure!(
        neighbours.len() <= MAX_ECHO as usize,
        "there is room for {MAX_ECHO} BFD neighbours, not for {}",
        neighbours.len()
    );
    let entry = |&(address, ifindex): &(IpAddr, u32)| {
        let nic = *nics.get(&ifindex).with_context(|| {
            format!(
                "the BFD neighbour {address} is on the interface with index {ifindex}, where the data path is \
                 not: list that as an [[interface]]"
            )
        })?;
        let addr = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        };
        Ok((LivePeerKey { addr, ifindex }, EchoPeer { nic, pad: [0; 2] }))
    };
    neighbours.iter().map(entry).collect()
}

/// Has the map hold these entries.
///
/// # Errors
/// If it is not there or not as it should be, or the kernel refuses.
pub(super) fn set(pins: &PinDir, desired: &BTreeMap<LivePeerKey, EchoPeer>) -> Result<()> {
    let mut peers: HashMap<_, LivePeerKey, EchoPeer> =
        Map::from_map_data(open(pins, map::ECHO)?)?.try_into()?;
    only(&mut peers, desired).context("cannot change ha_echo")
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        net::{IpAddr, Ipv4Addr},
    };

    use ha_common::abi::{LivePeerKey, MAX_ECHO, Mac};

    use super::entries;

    const NIC: Mac = Mac([2, 0, 0, 0, 0, 1]);

    fn nics() -> BTreeMap<u32, Mac> {
        BTreeMap::from([(7, NIC)])
    }

    #[test]
    fn neighbours_are_keyed_as_frames_show_them() {
        let v4 = "192.0.2.3".parse::<Ipv4Addr>().unwrap();
        let v6 = "fe80::3".parse::<IpAddr>().unwrap();
        let found = entries(&nics(), &BTreeSet::from([(v4.into(), 7), (v6, 7)])).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.values().all(|peer| peer.nic == NIC));
        let addr = v4.to_ipv6_mapped().octets();
        assert!(found.contains_key(&LivePeerKey { addr, ifindex: 7 }));
    }

    #[test]
    fn what_cannot_be_looped_is_said() {
        let neighbour = "192.0.2.3".parse::<IpAddr>().unwrap();
        let error = entries(&nics(), &BTreeSet::from([(neighbour, 8)])).unwrap_err();
        let told = "the BFD neighbour 192.0.2.3 is on the interface with index 8, where";
        assert!(error.to_string().starts_with(told), "{error}");
        let many = (0..=MAX_ECHO).map(|number| (Ipv4Addr::from(number).into(), 7));
        let error = entries(&nics(), &many.collect()).unwrap_err();
        assert!(error.to_string().contains("there is room for"), "{error}");
    }
}
