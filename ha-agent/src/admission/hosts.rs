//! Hosts on an interface's network that can be asked to send something there.

use std::net::{IpAddr, Ipv4Addr};

use ha_core::vrrp::Peers;

use crate::config::{Config, Election, Witness};

/// More are not asked: one that answers is enough.
const MOST: usize = 8;

/// Those of the configuration, then the gateways there. `own` are this host's addresses.
#[must_use]
pub fn hosts(
    config: &Config,
    interface: &str,
    own: &[IpAddr],
    gateways: impl Iterator<Item = IpAddr>,
) -> Vec<Ipv4Addr> {
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
    all.extend(gateways);
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn peers_witness_and_gateways_are_asked_where_they_are() {
        let text = "[node]\nname = \"a\"\n[[interface]]\nname = \"none0\"\n[[interface]]\nname = \"none1\"\n\
                    [[peer]]\nname = \"b\"\npaths = [{ interface = \"none0\", address = \"192.0.2.2\" },\n\
                    { interface = \"none1\", address = \"198.51.100.2\" }]\n\
                    [witness]\nping = \"192.0.2.9\"\ninterface = \"none0\"\n\
                    [[group]]\nname = \"web\"\ninterface = \"none0\"\nvips = [\"192.0.2.10\"]\n\
                    election = { type = \"vrrp\", vrid = 51, peers = [\"192.0.2.2\", \"192.0.2.3\"] }\n";
        let config = Config::parse(text, Path::new("ha.toml")).unwrap();
        let own = ["192.0.2.3".parse().unwrap()];
        let octets = |last| Ipv4Addr::new(192, 0, 2, last);
        let gateways = [octets(1), octets(2)].map(IpAddr::V4).into_iter();
        let hosts = |interface, gateways: &[IpAddr]| {
            hosts(&config, interface, &own, gateways.iter().copied())
        };
        let all = [octets(2), octets(9), octets(1)];
        assert_eq!(hosts("none0", gateways.as_slice()), all);
        assert_eq!(hosts("none1", &[]), [Ipv4Addr::new(198, 51, 100, 2)]);
    }
}
