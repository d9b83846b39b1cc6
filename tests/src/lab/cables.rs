//! Interfaces of nodes, and their cables to the switch.

use std::os::fd::OwnedFd;

use anyhow::Result;

use super::{BRIDGE, Lab};
use crate::{
    address::{self, PREFIX4, PREFIX6, Station},
    command,
    netns::NetNs,
    node::{INTERFACE, Node, SECOND},
    polling,
};

impl Lab {
    /// The ports of the switch that lead to a node; few nodes have a second one.
    ///
    /// # Errors
    ///
    /// When the node's first one is not there.
    pub(crate) fn ports_of(&self, node: &Node) -> Result<Vec<(String, u32)>> {
        let first = node.name().to_owned();
        let mut ports = vec![(first, self.switch.ifindex(node.name())?)];
        let second = node.second_port();
        if let Ok(ifindex) = self.switch.ifindex(&second) {
            ports.push((second, ifindex));
        }
        Ok(ports)
    }

    /// Pulls the node's cable at the switch. To the others this is what power loss looks like.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn unplug(&self, node: u8) -> Result<()> {
        self.set_port(node, "down")
    }

    /// Pulls the cable of the node's second interface.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn unplug_second(&self, node: u8) -> Result<()> {
        let port = self.node(node).second_port();
        command::ip_batch(self.switch.name(), &format!("link set dev {port} down\n"))
    }

    /// Puts the cable back.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn plug_in(&self, node: u8) -> Result<()> {
        self.set_port(node, "up")
    }

    /// Takes the node's interface out, and its port of the switch with it: as if a NIC was removed.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn take_out(&self, node: u8) -> Result<()> {
        let node = self.node(node).namespace().name();
        command::ip_batch(node, &format!("link del dev {INTERFACE}\n"))
    }

    /// Puts another one in, which has the name, the MAC and the addresses of the one that was taken out. It works as
    /// long as what is returned lives.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    #[must_use = "the port takes what a program sends back only as long as this lives"]
    pub fn put_in(&self, node: u8) -> Result<OwnedFd> {
        let node = self.node(node);
        let port = plug(
            &self.switch,
            node.name(),
            node.namespace(),
            node.station.mac,
        )?;
        configure(node.namespace(), node.station)?;
        Ok(port)
    }

    /// Gives the node another interface on the switch. It works as long as what is returned lives.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    #[must_use = "the port takes what a program sends back only as long as this lives"]
    pub fn add_second(&self, node: u8) -> Result<OwnedFd> {
        let node = self.node(node);
        let (port, namespace) = (node.second_port(), node.namespace());
        let second = address::second(node.index());
        let handle = plug_as(&self.switch, &port, namespace, SECOND, second.mac)?;
        configure_as(namespace, SECOND, second)?;
        // Both are in one network: what the first cannot send without a link goes out of the second.
        for family in ["ipv4", "ipv6"] {
            for scope in ["all", INTERFACE, SECOND] {
                let key = format!("{family}/conf/{scope}/ignore_routes_with_linkdown");
                namespace.set(&key, "1")?;
            }
        }
        Ok(handle)
    }

    fn set_port(&self, node: u8, state: &str) -> Result<()> {
        let port = &self.node(node).name;
        command::ip_batch(
            self.switch.name(),
            &format!("link set dev {port} {state}\n"),
        )
    }
}

/// Connects `eth0` of a station to a new port of the switch.
pub(super) fn plug(switch: &NetNs, port: &str, station: &NetNs, mac: [u8; 6]) -> Result<OwnedFd> {
    plug_as(switch, port, station, INTERFACE, mac)
}

fn plug_as(
    switch: &NetNs,
    port: &str,
    station: &NetNs,
    interface: &str,
    mac: [u8; 6],
) -> Result<OwnedFd> {
    let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
    command::ip_batch(
        switch.name(),
        &format!(
            "link add name {port} type veth peer name {interface} address {mac} netns {}\n\
             link set dev {port} master {BRIDGE} up\n",
            station.name()
        ),
    )?;
    polling::let_through(switch, port)
}

/// Gives a station its addresses, usable at once.
pub(super) fn configure(station: &NetNs, addresses: Station) -> Result<()> {
    configure_as(station, INTERFACE, addresses)
}

fn configure_as(station: &NetNs, interface: &str, addresses: Station) -> Result<()> {
    for parameter in ["accept_dad", "accept_ra", "router_solicitations"] {
        for scope in ["all", "default", interface] {
            station.set(&format!("ipv6/conf/{scope}/{parameter}"), "0")?;
        }
    }
    let Station { v4, v6, mac: _ } = addresses;
    command::ip_batch(
        station.name(),
        &format!(
            "addr add {v4}/{PREFIX4} dev {interface}\n\
             addr add {v6}/{PREFIX6} dev {interface} nodad\n\
             link set dev {interface} up\n"
        ),
    )
}
