//! Has another host send to each MAC, and waits for what arrives.

use std::{fs, io, net::IpAddr, net::Ipv4Addr, time::Duration};

use ha_common::abi::Mac;

use super::{Asked, Needed};
use crate::{
    config::{Election, Witness},
    doctor::host::Host,
    net::{Asker, Device},
};
use ha_core::vrrp::Peers;

/// How long an answer may take on a busy network, and how often it is asked for.
const PATIENCE: Duration = Duration::from_millis(200);
const ATTEMPTS: usize = 3;
/// Of so many MACs of each kind, unicast and groups, the first are tried: one filter has them all.
const SAMPLE: usize = 4;
/// The group of all IPv6 nodes (RFC 2464 section 7), in which every host is.
const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
/// Routes of the calling thread's network namespace, one a line: interface, then destination, gateway and flags in
/// hexadecimal (`net/ipv4/fib_trie.c`).
const ROUTES: &str = "/proc/thread-self/net/route";

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
    let mut answers = None;
    for candidate in candidates(host, device) {
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

/// Hosts on the interface's network: those of the configuration, then the gateway.
fn candidates(host: &Host, device: &Device) -> Vec<Ipv4Addr> {
    let config = &host.config;
    let paths = config.peers.iter().flat_map(|peer| &peer.paths);
    let mut all: Vec<IpAddr> = paths
        .filter(|path| path.interface == device.name)
        .map(|path| path.address)
        .collect();
    if let Some(Witness::Ping { address, interface }) = &config.witness
        && *interface == device.name
    {
        all.push(*address);
    }
    for group in host.groups_on(&device.name) {
        if let Election::Vrrp(vrrp) = &group.election
            && let Peers::Unicast(list) = &vrrp.peers
        {
            all.extend(list.iter());
        }
    }
    let routes = fs::read_to_string(ROUTES).unwrap_or_default();
    all.extend(gateways(&routes, &device.name).map(IpAddr::V4));
    let own = |address: &IpAddr| host.addresses.iter().any(|own| own.address == *address);
    let mut candidates: Vec<Ipv4Addr> = Vec::new();
    for address in all.into_iter().filter(|address| !own(address)) {
        match address {
            IpAddr::V4(v4) if !candidates.contains(&v4) => candidates.push(v4),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
    }
    candidates
}

fn gateways<'a>(routes: &'a str, interface: &'a str) -> impl Iterator<Item = Ipv4Addr> + 'a {
    let lines = routes.lines().map(str::split_ascii_whitespace);
    lines.filter_map(move |mut words| {
        let of = words.next()?;
        let gateway = u32::from_str_radix(words.nth(1)?, 16).ok()?;
        let is_one = of == interface && gateway != 0;
        // The kernel prints the four octets as the number that they are in its memory.
        is_one.then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_of_one_interface() {
        let octets = u32::from_ne_bytes([192, 0, 2, 1]);
        let routes = format!(
            "Iface\tDestination\tGateway \tFlags\n\
             eth0\t00000000\t{octets:08X}\t0003\n\
             eth0\t000200C0\t00000000\t0001\n\
             eth1\t00000000\t{octets:08X}\t0003\n"
        );
        let found: Vec<_> = gateways(&routes, "eth0").collect();
        assert_eq!(found, [Ipv4Addr::new(192, 0, 2, 1)]);
    }
}
