//! What the host should have set for a configuration, and has not. Nothing is set for it: other
//! programs live by the same settings.

use std::{collections::BTreeSet, fs, net::IpAddr};

use crate::config::{Config, Group};

/// Whether applications may bind IPv6 addresses that no interface has (ip-sysctl.rst).
const NONLOCAL_BIND6: &str = "/proc/sys/net/ipv6/ip_nonlocal_bind";

/// Value of `arp_announce`: the sender of an ARP request is an address of an interface, rather than the
/// source of the packet that waits for the answer (ip-sysctl.rst).
const OF_AN_INTERFACE: u8 = 2;

/// Logs each piece of advice once.
pub(crate) fn log(config: &Config) {
    let mut vips = config.groups.iter().flat_map(|group| &group.vips);
    // IPv4 looks at the routes, and they make a virtual IP local.
    if vips.any(IpAddr::is_ipv6) && is_off(NONLOCAL_BIND6) {
        tracing::info!(
            "an application that binds an IPv6 virtual IP, not [::], needs \
             `sysctl net.ipv6.ip_nonlocal_bind=1` or the socket option IPV6_FREEBIND"
        );
    }
    let groups = config.groups.iter().filter(|group| has_v4(group));
    let served: BTreeSet<&str> = groups.map(|group| group.interface.as_str()).collect();
    for interface in served {
        if arp_announce("all").max(arp_announce(interface)) < OF_AN_INTERFACE {
            tracing::info!(
                "an application that sends from a virtual IP needs \
                 `sysctl net.ipv4.conf.{interface}.arp_announce=2`: else neighbours are asked for with the \
                 virtual IP and the MAC of {interface}"
            );
        }
    }
}

fn has_v4(group: &Group) -> bool {
    group.vips.iter().any(IpAddr::is_ipv4)
}

/// What counts is the greater one of an interface's and that of all.
fn arp_announce(interface: &str) -> u8 {
    let setting = format!("/proc/sys/net/ipv4/conf/{interface}/arp_announce");
    let value = fs::read_to_string(setting).unwrap_or_default();
    value.trim().parse().unwrap_or(0)
}

fn is_off(setting: &str) -> bool {
    fs::read_to_string(setting).is_ok_and(|value| value.trim() == "0")
}
