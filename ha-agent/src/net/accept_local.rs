//! Whether the kernel takes packets of other hosts that come from an address which is local here, as the answers of
//! the Active node do on the others. IPv6 knows no such check.

use std::{fs, io};

/// The settings of IPv4 by interface (ip-sysctl.rst).
const SETTINGS: &str = "/proc/sys/net/ipv4/conf";
/// Value of `rp_filter`: packets must come from where their source is reached (RFC 3704 section 2.2).
const STRICT: u8 = 1;

/// Whether such packets are taken on an interface. It is enough if they are on all.
#[must_use]
pub fn is_on(interface: &str) -> bool {
    value(interface, "accept_local").max(value("all", "accept_local")) > 0
}

/// Has them taken, or not.
///
/// # Errors
/// The kernel's, as where its settings are read-only.
pub fn set(interface: &str, on: bool) -> io::Result<()> {
    let value = if on { "1" } else { "0" };
    fs::write(format!("{SETTINGS}/{interface}/accept_local"), value)
}

/// Whether they are dropped all the same: a local address is reached over the loopback interface.
#[must_use]
pub fn is_filtered(interface: &str) -> bool {
    value(interface, "rp_filter").max(value("all", "rp_filter")) == STRICT
}

fn value(interface: &str, setting: &str) -> u8 {
    let value = fs::read_to_string(format!("{SETTINGS}/{interface}/{setting}"));
    value.unwrap_or_default().trim().parse().unwrap_or(0)
}
