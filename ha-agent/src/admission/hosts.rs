//! Hosts on an interface's network that can be asked to send something there.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
};

use ha_core::vrrp::Peers;

use crate::config::{Config, Election, Witness};

/// More are not asked: one that answers is enough.
const MOST: usize = 8;
/// Routes of the calling thread's network namespace, one a line: interface, then destination, gateway and flags in
/// hexadecimal (`net/ipv4/fib_trie.c`).
const ROUTES: &str = "/proc/thread-self/net/route";

/// Those of the configuration, then the gateway. `own` are this host's addresses.
#[must_use]
pub fn hosts(config: &Config, interface: &str, own: &[IpAddr]) -> Vec<Ipv4Addr> {
    let paths = config.peers.iter().flat_map(|peer| &peer.paths);
    let mut all: Vec<IpAddr> = paths
        .filter(|path| path.interface == interface)
        .map(|path| path.address)
        .collect();
    if let Some(Witness::Ping {
        address,
        interface: asked,
    }) = &config.witness
        && asked == interface
    {
        all.push(*address);
    }
    for group in &config.groups {
        if let Election::Vrrp(vrrp) = &group.election
            && let Peers::Unicast(list) = &vrrp.peers
            && group.interfaces().any(|on| on == interface)
        {
            all.extend(list.iter());
        }
    }
    let routes = fs::read_to_string(ROUTES).unwrap_or_default();
    all.extend(gateways(&routes, interface).map(IpAddr::V4));
    let mut hosts: Vec<Ipv4Addr> = Vec::new();
    for address in all.into_iter().filter(|address| !own.contains(address)) {
        match address {
            IpAddr::V4(v4) if !hosts.contains(&v4) => hosts.push(v4),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
    }
    hosts.truncate(MOST);
    hosts
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
    use std::path::Path;

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

    #[test]
    fn peers_and_witness_are_asked_where_they_are() {
        let text = "[node]\nname = \"a\"\n[[interface]]\nname = \"none0\"\n[[interface]]\nname = \"none1\"\n\
                    [[peer]]\nname = \"b\"\npaths = [{ interface = \"none0\", address = \"192.0.2.2\" },\n\
                    { interface = \"none1\", address = \"198.51.100.2\" }]\n\
                    [witness]\nping = \"192.0.2.9\"\ninterface = \"none0\"\n\
                    [[group]]\nname = \"web\"\ninterface = \"none0\"\nvips = [\"192.0.2.10\"]\n\
                    election = { type = \"vrrp\", vrid = 51, peers = [\"192.0.2.2\", \"192.0.2.3\"] }\n";
        let config = Config::parse(text, Path::new("ha.toml")).unwrap();
        let own = ["192.0.2.3".parse().unwrap()];
        let octets = |last| Ipv4Addr::new(192, 0, 2, last);
        assert_eq!(hosts(&config, "none0", &own), [octets(2), octets(9)]);
        assert_eq!(
            hosts(&config, "none1", &own),
            [Ipv4Addr::new(198, 51, 100, 2)]
        );
    }
}
