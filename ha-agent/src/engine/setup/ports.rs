//! The interfaces of a configuration, and the addresses that groups need of them.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use ha_core::vrrp::Primary;

use super::super::{
    bond,
    port::{Ground, Port, Presence},
};
use crate::{
    config::{self, Config, Election},
    net::{Addresses, Link, Netlink},
};

/// How long an interface may take to get its addresses at boot.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(100);

pub(super) async fn links(config: &Config, netlink: &Netlink) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for interface in &config.interfaces {
        links.push(link(interface, netlink).await?);
    }
    Ok(links)
}

/// The interface that is configured so.
async fn link(interface: &config::Interface, netlink: &Netlink) -> Result<Link> {
    let name = &interface.name;
    let link = netlink.link(name).await?.with_context(|| missing(name))?;
    bond::check(interface, &link)?;
    Ok(link)
}

/// What is said of an interface that is not there.
pub(in crate::engine) fn missing(name: &str) -> String {
    format!("there is no interface {name}: correct [[interface]] name, or create it first")
}

pub(super) async fn ports(config: &Config, links: &[Link], netlink: &Netlink) -> Result<Vec<Port>> {
    let mut ports = Vec::new();
    for link in links {
        let home = netlink.home(link).await?;
        let ground = Ground {
            addresses: addresses(config, link, &home, netlink).await?,
            home,
            link: link.clone(),
            presence: Presence::New,
        };
        ports.push(Port::open(ground)?);
    }
    Ok(ports)
}

/// The interface's own addresses; waits for those that its groups need.
async fn addresses(
    config: &Config,
    link: &Link,
    home: &Link,
    netlink: &Netlink,
) -> Result<Addresses> {
    let end = Instant::now() + PATIENCE;
    loop {
        let addresses = netlink.addresses(home.index).await?;
        let own = config
            .groups
            .iter()
            .filter(|group| group.interfaces().any(|name| name == link.name));
        let missing = own
            .filter_map(|group| primary(group, &link.name, addresses).err())
            .next();
        match missing {
            None => return Ok(addresses),
            Some(error) if Instant::now() >= end => return Err(error),
            Some(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// The addresses from which a group advertises on this interface.
pub(in crate::engine) fn primary(
    group: &config::Group,
    interface: &str,
    own: Addresses,
) -> Result<Option<Primary>> {
    if group.election == Election::Manual {
        return Ok(None);
    }
    let name = &group.name;
    let v4 = group.vips.iter().any(IpAddr::is_ipv4);
    let v6 = group.vips.iter().any(IpAddr::is_ipv6);
    let need4 = || {
        own.v4.ok_or_else(|| {
            anyhow!(
                "{interface} has no IPv4 address from which the group {name} could advertise: \
                 `ip address add` one"
            )
        })
    };
    let need6 = || {
        own.link_local.ok_or_else(|| {
            anyhow!(
                "{interface} has no link-local IPv6 address from which the group {name} could \
                 advertise: bring it up with IPv6 enabled"
            )
        })
    };
    Ok(Some(match (v4, v6) {
        (true, true) => Primary::Dual(need4()?, need6()?),
        (false, true) => Primary::V6(need6()?),
        (true, false) => Primary::V4(need4()?),
        (false, false) => bail!("the group {name} has no virtual IPs: add some, or remove it"),
    }))
}
