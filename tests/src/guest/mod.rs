//! Nodes as hypervisors, and guests behind them.
//!
//! ```text
//!        client ── switch ── eth0 ─┐        node, a hypervisor
//!                                  br0 ─ vnet0 ═ eth0        guest: a namespace behind a veth,
//!                                                            a tap or a macvtap
//! ```
//!
//! A guest has the virtual IPs on its own interface, as virtual machines and containers do. Behind a tap or a
//! macvtap a [`relay`] stands for the virtual machine's virtio NIC.

mod machine;
mod macvtap;
pub mod pulse;
mod relay;
pub mod service;
pub mod stream;

use std::{net::IpAddr, process::Command};

use anyhow::{Context, Result};
use nix::{
    mount::{MsFlags, mount},
    sys::statfs::{TRACEFS_MAGIC, statfs},
};

pub use self::machine::MachineGuest;
use self::{relay::Relay, service::Service};
use crate::{
    address::{self, PREFIX4, PREFIX6},
    command,
    lab::Lab,
    netns::NetNs,
    node::{INTERFACE, Node},
    sys,
};

/// The bridge of a hypervisor.
pub const BRIDGE: &str = "br0";

/// What leads to a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One end of a veth pair on the bridge, whose other end polls.
    Veth,
    /// The same, and the other end does not poll: nothing can be redirected to it.
    IdleVeth,
    /// A tap on the bridge.
    Tap,
    /// A macvtap on the NIC.
    Macvtap,
    /// A veth whose other end does not poll and that is on no bridge: the hypervisor routes, and answers ARP for
    /// others.
    Routed,
}

/// A guest: a machine in a namespace behind a hypervisor.
#[derive(Debug)]
pub struct Guest {
    kind: Kind,
    interface: String,
    mac: String,
    service: Service,
    relay: Option<Relay>,
    namespace: NetNs,
}

/// Where the kernel tells what becomes of redirected frames.
const TRACING: &str = "/sys/kernel/tracing";

/// Makes a node a hypervisor for guests of a kind. Its NIC becomes a port of a bridge, which gets its addresses; under
/// a macvtap it stays what it is.
///
/// # Errors
///
/// When `ip` fails, or the tracing filesystem cannot be mounted.
pub fn prepare(node: &Node, kind: Kind) -> Result<()> {
    ensure_tracing()?;
    match kind {
        Kind::Veth | Kind::IdleVeth | Kind::Tap | Kind::Routed => bridge(node),
        Kind::Macvtap => Ok(()),
    }
}

fn bridge(node: &Node) -> Result<()> {
    let station = node.station();
    // A bridge without a MAC of its own changes it with its ports.
    command::ip_batch(
        node.namespace().name(),
        &format!(
            "link add name {BRIDGE} address {mac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
             addr flush dev {INTERFACE}\n\
             link set dev {INTERFACE} master {BRIDGE}\n\
             addr add {v4}/{PREFIX4} dev {BRIDGE}\n\
             addr add {v6}/{PREFIX6} dev {BRIDGE} nodad\n\
             link set dev {BRIDGE} up\n",
            mac = node.mac(),
            v4 = station.v4,
            v6 = station.v6,
        ),
    )
}

/// Makes a NIC that was put in in place of another one the port of the hypervisor's bridge.
///
/// # Errors
///
/// When `ip` fails.
pub fn enslave(node: &Node) -> Result<()> {
    command::ip_batch(
        node.namespace().name(),
        &format!(
            "addr flush dev {INTERFACE}\n\
             link set dev {INTERFACE} master {BRIDGE}\n"
        ),
    )
}

impl Guest {
    /// Starts guest number `number` of the lab on a hypervisor; it has these virtual IPs and answers on them.
    ///
    /// # Errors
    ///
    /// When something of it cannot be made.
    pub fn start(lab: &Lab, node: &Node, kind: Kind, number: u8, vips: &[IpAddr]) -> Result<Self> {
        let name = format!("guest{number}");
        let namespace = lab.add_namespace(&name)?;
        let mac = mac(number);
        let host = format!("vnet{number}");
        let relay = match kind {
            Kind::Veth | Kind::IdleVeth => {
                veth(node, &namespace, &host, &mac)?;
                None
            }
            Kind::Routed => {
                routed(node, &namespace, &host, &mac, vips)?;
                None
            }
            Kind::Tap => Some(tap(node, &namespace, &host, &mac)?),
            Kind::Macvtap => Some(macvtap::start(node, &namespace, &host, &mac)?),
        };
        configure(&namespace, number, vips)?;
        let mut guest = Self {
            kind,
            interface: host,
            mac,
            service: namespace.run(|| Service::start(&name, vips))?,
            relay,
            namespace,
        };
        guest.set_offloads(true)?;
        if kind == Kind::Veth {
            guest.set_polling(true)?;
        }
        Ok(guest)
    }

    /// What leads to it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The interface that leads to it, on the hypervisor.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Where it runs.
    #[must_use]
    pub const fn namespace(&self) -> &NetNs {
        &self.namespace
    }

    /// What it serves.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The value of `deliver` in the agent's configuration.
    #[must_use]
    pub fn deliver(&self) -> String {
        format!(
            "{{ guest = \"{}\", mac = \"{}\" }}",
            self.interface, self.mac
        )
    }

    /// Turns checksum and segmentation offloads of its NIC on or off.
    ///
    /// # Errors
    ///
    /// When `ethtool` or the kernel refuses.
    pub fn set_offloads(&mut self, on: bool) -> Result<()> {
        if let Some(relay) = &self.relay {
            return relay.set_offloads(on);
        }
        let state = if on { "on" } else { "off" };
        let features = ["tx", "tso", "gso"];
        let states = features.iter().flat_map(|feature| [*feature, state]);
        ethtool(&self.namespace, states)
    }

    /// Turns generic receive offload on or off, with which a veth begins or ceases to poll.
    ///
    /// # Errors
    ///
    /// When `ethtool` refuses.
    pub fn set_polling(&self, on: bool) -> Result<()> {
        ethtool(&self.namespace, ["gro", if on { "on" } else { "off" }])
    }

    /// Stops reading what comes for it, as a virtual machine that is paused does, or goes on.
    ///
    /// # Errors
    ///
    /// When it has no relay that could stop.
    pub fn pause(&self, paused: bool) -> Result<()> {
        let relay = self.relay.as_ref();
        relay.context("only a relay can stop")?.pause(paused);
        Ok(())
    }
}

/// The MAC of a guest's own interface.
fn mac(number: u8) -> String {
    format!("52:54:00:00:00:{number:02x}")
}

fn veth(node: &Node, guest: &NetNs, host: &str, mac: &str) -> Result<()> {
    command::ip_batch(
        node.namespace().name(),
        &format!(
            "link add name {host} type veth peer name {INTERFACE} address {mac} netns {}\n\
             link set dev {host} master {BRIDGE} up\n",
            guest.name()
        ),
    )
}

fn routed(node: &Node, guest: &NetNs, host: &str, mac: &str, vips: &[IpAddr]) -> Result<()> {
    let hypervisor = node.namespace();
    let mut batch = format!(
        "link add name {host} type veth peer name {INTERFACE} address {mac} netns {}\n\
         link set dev {host} up\n",
        guest.name()
    );
    for vip in vips {
        batch += &format!("route add {vip} dev {host}\n");
    }
    command::ip_batch(hypervisor.name(), &batch)?;
    hypervisor.set("ipv4/ip_forward", "1")?;
    hypervisor.set(&format!("ipv4/conf/{host}/proxy_arp"), "1")?;
    hypervisor.set(&format!("ipv4/neigh/{host}/proxy_delay"), "0")
}

fn tap(node: &Node, guest: &NetNs, host: &str, mac: &str) -> Result<Relay> {
    let outside = node.namespace().run(|| Ok(sys::open_tap(host)?))?;
    command::ip_batch(
        node.namespace().name(),
        &format!("link set dev {host} master {BRIDGE} up\n"),
    )?;
    Relay::start(guest, outside, mac)
}

/// Gives the guest its own addresses and the virtual ones, all usable at once.
fn configure(guest: &NetNs, number: u8, vips: &[IpAddr]) -> Result<()> {
    for scope in ["all", "default", INTERFACE] {
        for parameter in ["accept_dad", "accept_ra", "router_solicitations"] {
            guest.set(&format!("ipv6/conf/{scope}/{parameter}"), "0")?;
        }
    }
    let own = [
        address::guest4(number).into(),
        address::guest6(number).into(),
    ];
    let mut batch = String::new();
    for address in own.iter().chain(vips) {
        let prefix = match address {
            IpAddr::V4(_) => format!("{address}/{PREFIX4}"),
            IpAddr::V6(_) => format!("{address}/{PREFIX6} nodad"),
        };
        batch += &format!("addr add {prefix} dev {INTERFACE}\n");
    }
    batch += &format!("link set dev {INTERFACE} up\n");
    command::ip_batch(guest.name(), &batch)
}

fn ethtool<'a>(guest: &NetNs, states: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut ethtool: Command = guest.command("ethtool")?;
    ethtool.args(["-K", INTERFACE]).args(states);
    command::run(&mut ethtool)?;
    Ok(())
}

/// The agent counts what is lost behind it at tracepoints, which it finds here.
fn ensure_tracing() -> Result<()> {
    let is_mounted = statfs(TRACING).is_ok_and(|fs| fs.filesystem_type() == TRACEFS_MAGIC);
    if is_mounted {
        return Ok(());
    }
    let kind = Some("tracefs");
    mount(kind, TRACING, kind, MsFlags::empty(), None::<&str>)
        .with_context(|| format!("mounting the tracing filesystem on {TRACING}"))
}
