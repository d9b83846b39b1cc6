//! What several checks want to know of the host, looked up once.

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

use anyhow::{Context, Result};
use aya::util::KernelVersion;

use super::Permission;
use crate::{
    config::{Config, Group, Mode},
    dataplane::{self, PinDir},
    net::{Assigned, Device, Ethtool, Features, Netlink, XdpFeatures},
};

/// What is known of the host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) config: Config,
    pub(super) permission: Permission,
    pub(super) kernel: KernelVersion,
    pub(super) pins: PinDir,
    pub(super) netlink: Netlink,
    pub(super) ethtool: Ethtool,
    /// All interfaces.
    pub(super) devices: Vec<Device>,
    /// All addresses.
    pub(super) addresses: Vec<Assigned>,
    /// The IPv4 gateways, each with the index of the interface on whose network it is.
    pub(super) gateways: Vec<(u32, IpAddr)>,
    /// The ids of the data path's programs by interface, as they are pinned; `None` if that cannot be seen.
    own: Option<BTreeMap<u32, u32>>,
}

/// An interface of the configuration that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served<'a> {
    pub(super) device: &'a Device,
    pub(super) mode: Mode,
}

impl Host {
    pub(super) async fn look(config: Config, permission: Permission) -> Result<Self> {
        let netlink = Netlink::connect()?;
        let pins = PinDir::new(&config.node.pin_dir);
        Ok(Self {
            devices: netlink.devices().await?,
            addresses: netlink.all_addresses().await?,
            gateways: netlink.gateways().await?,
            ethtool: Ethtool::connect().context("cannot open a netlink socket")?,
            kernel: KernelVersion::current().context("cannot tell the kernel's version")?,
            // Without privileges, which another check tells.
            own: dataplane::attached(&pins).ok(),
            config,
            permission,
            pins,
            netlink,
        })
    }

    /// The interfaces of the configuration that are there.
    pub(super) fn served(&self) -> impl Iterator<Item = Served<'_>> {
        self.config.interfaces.iter().filter_map(|interface| {
            Some(Served {
                device: self.device(&interface.name)?,
                mode: interface.mode,
            })
        })
    }

    /// The names of those with IPv4 virtual IPs.
    pub(super) fn served_v4(&self) -> impl Iterator<Item = &str> {
        let names = self.served().map(|served| served.device.name.as_str());
        names.filter(|name| self.vips_on(name).any(|vip| vip.is_ipv4()))
    }

    /// Interfaces that are up and on which the stack answers by ARP, but no data path.
    pub(super) fn others(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|device| {
            let is_served = self.served().any(|served| served.device == *device);
            // Ports leave ARP to their bridge or bond.
            device.ethernet && device.up && device.arp && device.master.is_none() && !is_served
        })
    }

    /// The names of a bond's ports; none if it is none.
    pub(super) fn bond_ports(&self, device: &Device) -> Vec<String> {
        let is_port = |port: &&Device| device.bond.is_some() && port.master == Some(device.index);
        let ports = self.devices.iter().filter(is_port);
        ports.map(|port| port.name.clone()).collect()
    }

    pub(super) fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|device| device.name == name)
    }

    pub(super) fn device_at(&self, index: u32) -> Option<&Device> {
        self.devices.iter().find(|device| device.index == index)
    }

    /// The addresses of an interface.
    pub(super) fn addresses_of(&self, index: u32) -> impl Iterator<Item = &Assigned> {
        let of = move |assigned: &&Assigned| assigned.index == index;
        self.addresses.iter().filter(of)
    }

    /// The groups that are served on an interface, or may be.
    pub(super) fn groups_on<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Group> {
        let groups = self.config.groups.iter();
        groups.filter(move |group| group.interfaces().any(|on| on == name))
    }

    /// The virtual IPs on an interface.
    pub(super) fn vips_on<'a>(&'a self, name: &'a str) -> impl Iterator<Item = IpAddr> {
        self.groups_on(name)
            .flat_map(|group| group.vips.iter().copied())
    }

    /// All virtual IPs.
    pub(super) fn vips(&self) -> impl Iterator<Item = IpAddr> {
        let groups = self.config.groups.iter();
        groups.flat_map(|group| group.vips.iter().copied())
    }

    /// Whether the program on an interface is known to be this agent's data path.
    pub(super) fn is_own(&self, device: &Device) -> bool {
        self.whose(device) == Some(true)
    }

    /// Whether the program on an interface is this agent's data path; `None` if that cannot be seen.
    pub(super) fn whose(&self, device: &Device) -> Option<bool> {
        let own = self.own.as_ref()?.get(&device.index).copied();
        Some(own.is_some() && own == device.xdp.map(|xdp| xdp.program))
    }

    /// The offloads of an interface; `None` if its driver does not tell.
    pub(super) async fn offloads(&self, name: &str) -> Result<Option<Features>> {
        let features = self.ethtool.features(name).await;
        features.with_context(|| format!("cannot ask for the offloads of {name}"))
    }

    pub(super) async fn xdp_features(&self, device: &Device) -> Result<Option<XdpFeatures>> {
        let features = self.ethtool.xdp_features(device.index).await;
        features.with_context(|| format!("cannot ask for the XDP features of {}", device.name))
    }
}

/// The driver of a NIC; `None` for a virtual interface, or if `/sys` is another network namespace's.
pub(super) fn driver(device: &Device) -> Option<String> {
    let place = Path::new("/sys/class/net").join(&device.name);
    let index = fs::read_to_string(place.join("ifindex")).ok()?;
    if index.trim() != device.index.to_string() {
        return None;
    }
    let driver = fs::read_link(place.join("device/driver")).ok()?;
    Some(driver.file_name()?.to_str()?.to_owned())
}

/// Whether `address` is in the network of the other one.
pub(super) fn is_in_network(address: IpAddr, of: &Assigned) -> bool {
    match (address, of.address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            let differ = one.to_bits() ^ other.to_bits();
            differ.leading_zeros() >= u32::from(of.prefix)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            let differ = one.to_bits() ^ other.to_bits();
            differ.leading_zeros() >= u32::from(of.prefix)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let of = |address: &str, prefix| Assigned {
            index: 1,
            address: address.parse().unwrap(),
            prefix,
        };
        let address: IpAddr = "192.0.2.10".parse().unwrap();
        assert!(is_in_network(address, &of("192.0.2.200", 24)));
        assert!(!is_in_network(address, &of("192.0.3.10", 24)));
        assert!(is_in_network(address, &of("10.0.0.1", 0)));
        assert!(is_in_network(address, &of("192.0.2.10", 32)));
        assert!(!is_in_network(address, &of("192.0.2.11", 32)));
        assert!(!is_in_network(address, &of("2001:db8::1", 0)));
    }
}
