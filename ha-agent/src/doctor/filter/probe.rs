//! Has another host send to each MAC, and waits for what arrives.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use ha_common::abi::Mac;

use super::{Asked, Needed};
use crate::{
    admission::hosts,
    doctor::host::Host,
    net::{Asker, Device},
};

/// How long an answer may take on a busy network, and how often it is asked for.
const PATIENCE: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 3;
/// Of so many MACs of each kind, unicast and groups, the first are tried: one filter has them all.
const SAMPLE: usize = 4;
/// The group of all IPv6 nodes (RFC 2464 section 7), in which every host is.
const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);

/// Probes a sample; who was asked, if anybody answers.
pub(super) async fn all(
    host: &Host,
    device: &Device,
    macs: &mut [Needed],
) -> io::Result<Option<Asked>> {
    if macs.is_empty() || !device.up || !device.carrier {
        return Ok(None);
    }
    let asker = Asker::open(device.index, device.mac)?;
    let own: Vec<IpAddr> = host.addresses.iter().map(|own| own.address).collect();
    let mut answers = None;
    // The host's addresses, and so its routes, are a bridge's if the interface is a port of one.
    let places = [Some(device.index), device.master];
    let gateways = host.gateways.iter();
    let gateways = gateways.filter(|(index, _)| places.contains(&Some(*index)));
    let gateways = gateways.map(|(_, address)| *address);
    for candidate in hosts(&host.config, &device.name, &own, gateways) {
        if reaches(&asker, device.mac, candidate).await? {
            answers = Some(candidate);
            break;
        }
    }
    let Some(other) = answers else {
        return Ok(None);
    };
    // Not every system answers to a group.
    let groups = reaches(&asker, ALL_NODES, other).await?;
    for of_groups in [false, true] {
        let of_kind = |needed: &&mut Needed| needed.mac.is_multicast() == of_groups;
        for needed in macs.iter_mut().filter(of_kind).take(SAMPLE) {
            if groups || !of_groups {
                needed.arrives = Some(reaches(&asker, needed.mac, other).await?);
            }
        }
    }
    Ok(Some(Asked {
        host: other,
        groups,
    }))
}

async fn reaches(asker: &Asker, mac: Mac, other: Ipv4Addr) -> io::Result<bool> {
    for _ in 0..ATTEMPTS {
        if asker.reaches(mac, other, PATIENCE).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
