//! What the host should have set for a configuration, and has not. Nothing is set for it: other
//! programs live by the same settings.

use std::{fs, net::IpAddr};

use crate::config::Config;

/// Whether applications may bind IPv6 addresses that no interface has (ip-sysctl.rst).
const NONLOCAL_BIND6: &str = "/proc/sys/net/ipv6/ip_nonlocal_bind";

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
}

fn is_off(setting: &str) -> bool {
    fs::read_to_string(setting).is_ok_and(|value| value.trim() == "0")
}
