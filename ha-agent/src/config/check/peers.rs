//! `[group.election] peers`: the other nodes, where advertisements are not multicast.

use std::{collections::HashSet, net::IpAddr};

use ha_common::wire::{ipv4, ipv6};
use ha_core::vrrp::{Peers, Version};
use toml::Spanned;

use super::{
    super::{Vrrp, error::Report, file},
    election::Kind,
};

pub(super) fn peers(
    written: &Spanned<Vec<Spanned<String>>>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Peers> {
    let key = format!("{key}.peers");
    if written.get_ref().is_empty() {
        report.add(
            written.span(),
            key,
            "the list is empty",
            "write the addresses of the other nodes, or remove the key to use multicast",
        );
        return None;
    }
    let mut seen = HashSet::new();
    let addresses: Vec<_> = written
        .get_ref()
        .iter()
        .map(|entry| {
            let address = address(entry, &key, report)?;
            if seen.insert(address) {
                return Some(address);
            }
            report.add(
                entry.span(),
                &*key,
                format!("{address} is already in this list"),
                "write each address once",
            );
            None
        })
        .collect();
    let addresses: Option<Vec<IpAddr>> = addresses.into_iter().collect();
    Some(Peers::Unicast(addresses?.into()))
}

/// The address from which a peer advertises: its own on the network, over IPv6 the link-local one.
fn address(entry: &Spanned<String>, key: &str, report: &mut Report<'_>) -> Option<IpAddr> {
    let text = entry.get_ref();
    let mut refuse = |what: String, mend: &str| {
        report.add(entry.span(), key, what, mend.to_owned());
        None
    };
    match text.parse() {
        Ok(IpAddr::V4(v4)) if !ipv4::is_host(v4.octets()) => refuse(
            format!("{v4} is not a single host's address"),
            "write the peer's own address on the interface",
        ),
        Ok(IpAddr::V6(v6)) if !v6.is_unicast_link_local() || !ipv6::is_host(v6.octets()) => refuse(
            format!("{v6} is not link-local, as the source of an advertisement is over IPv6"),
            "write the peer's address that begins with fe80, as `ip -6 address` shows it there",
        ),
        Ok(address) => Some(address),
        Err(_) => refuse(
            format!("\"{text}\" is not an address"),
            "write the peer's own address, as \"192.0.2.2\"",
        ),
    }
}

/// What only shows when the group's virtual IPs are known, too: peers in each family that the group has,
/// and none of IPv6 in version 2.
pub(super) fn families(
    group: &file::Group,
    kind: &Kind,
    vips: &[IpAddr],
    key: &str,
    report: &mut Report<'_>,
) -> Option<()> {
    let Some(Vrrp { version, peers, .. }) = kind.vrrp() else {
        return Some(());
    };
    let mut is_right = true;
    if *version == Version::V2
        && let Some(v6) = vips.iter().find(|vip| vip.is_ipv6())
    {
        is_right = false;
        report.add(
            group.vips.span(),
            format!("{key}.vips"),
            format!("VRRP version 2 has no IPv6, but {v6} is a virtual IP of the group"),
            "put IPv6 addresses into a group of their own with version = 3",
        );
    }
    let Peers::Unicast(peers) = peers else {
        return is_right.then_some(());
    };
    for (family, is_of) in [
        ("IPv4", IpAddr::is_ipv4 as fn(&IpAddr) -> bool),
        ("IPv6", IpAddr::is_ipv6),
    ] {
        let has_vips = vips.iter().any(is_of);
        if has_vips == peers.iter().any(is_of) {
            continue;
        }
        is_right = false;
        let election = group.election.get_ref();
        let place = election
            .peers
            .as_ref()
            .map_or_else(|| group.election.span(), Spanned::span);
        let (what, mend) = if has_vips {
            (
                format!("the group has {family} addresses, but no peer to advertise them to"),
                format!("add the {family} address of each other node"),
            )
        } else {
            (
                format!("there are {family} peers, but the group has no {family} address"),
                format!("remove the {family} peers, or add a virtual IP"),
            )
        };
        report.add(place, format!("{key}.election.peers"), what, mend);
    }
    is_right.then_some(())
}
