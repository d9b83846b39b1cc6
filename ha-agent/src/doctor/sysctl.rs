//! Kernel parameters of network interfaces.

use std::fs;

use anyhow::{Context, Result};

/// The value of an IPv4 parameter that is in force: the greater one of an interface's and that of all
/// (`IN_DEV_MAXCONF`, `include/linux/inetdevice.h`).
pub(super) fn in_force(interface: &str, parameter: &str) -> Result<u8> {
    let [of_all, own] = ["all", interface].map(|name| read(&path(name, parameter)));
    Ok(of_all?.max(own?))
}

/// The value of the parameter in this file below `/proc/sys/net`.
pub(super) fn read(file: &str) -> Result<u8> {
    let path = format!("/proc/sys/net/{file}");
    let value = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let number = value.trim().parse();
    number.with_context(|| format!("{path} is {:?}", value.trim()))
}

/// The command that sets an IPv4 parameter of an interface.
pub(super) fn set(interface: &str, parameter: &str, value: u8) -> String {
    set_of("ipv4", interface, parameter, value)
}

/// The same of an IPv6 parameter.
pub(super) fn set6(interface: &str, parameter: &str, value: u8) -> String {
    set_of("ipv6", interface, parameter, value)
}

fn set_of(family: &str, interface: &str, parameter: &str, value: u8) -> String {
    // sysctl takes dots for slashes, and slashes for dots.
    let interface = interface.replace('.', "/");
    format!("sysctl -w net.{family}.conf.{interface}.{parameter}={value}")
}

fn path(interface: &str, parameter: &str) -> String {
    format!("ipv4/conf/{interface}/{parameter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_with_a_dot_in_its_name() {
        assert_eq!(
            set("eth0.5", "arp_ignore", 1),
            "sysctl -w net.ipv4.conf.eth0/5.arp_ignore=1"
        );
    }

    #[test]
    fn a_parameter_that_is_not_there_is_named() {
        let error = in_force("no-such-interface", "arp_ignore").unwrap_err();
        assert!(error.to_string().contains("no-such-interface"), "{error}");
    }
}
