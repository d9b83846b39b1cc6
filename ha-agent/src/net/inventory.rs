//! Everything that the host has: all its interfaces, and all their addresses.

use std::{net::IpAddr, time::Duration};

use ha_common::abi::Mac;
use rtnetlink::packet_route::{
    address::AddressMessage,
    link::{
        BondMode, BridgeStpState, InfoBond, InfoBridge, InfoData, InfoKind, LinkAttribute,
        LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
    },
};

use super::{
    link::{AttachedXdp, attached, own_address},
    netlink::{Netlink, NetlinkError},
};

/// Units of the times of a bridge: hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// An interface of the host, configured or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its own MAC.
    pub mac: Mac,
    /// Whether it is set up (`IFF_UP`).
    pub up: bool,
    /// Whether it has a carrier (`IFF_LOWER_UP`).
    pub carrier: bool,
    /// Whether it asks and answers by ARP (no `IFF_NOARP`).
    pub arp: bool,
    /// Whether it is of Ethernet.
    pub ethernet: bool,
    /// Its MTU, octets of IP.
    pub mtu: u32,
    /// What the kernel calls a virtual one, as "veth"; empty for a NIC.
    pub kind: String,
    /// Index of the bridge or bond of which it is a port.
    pub master: Option<u32>,
    /// The XDP program on it, whosever it is.
    pub xdp: Option<AttachedXdp>,
    /// If it is a bridge.
    pub bridge: Option<Bridge>,
    /// If it is a bond.
    pub bond: Option<BondMode>,
}

/// What of a bridge concerns addresses that move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// How long a MAC is remembered that sends nothing.
    pub ageing: Duration,
    /// How long a port that comes up listens and how long it learns, each, before it forwards.
    pub forward_delay: Duration,
    /// Whether it runs the spanning tree protocol.
    pub spanning_tree: bool,
    /// Whether it listens to who wants which multicast group.
    pub snooping: bool,
    /// Whether it asks for that itself.
    pub querier: bool,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Index of the interface.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of its network.
    pub prefix: u8,
}

impl Netlink {
    /// All interfaces of the network namespace.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn devices(&self) -> Result<Vec<Device>, NetlinkError> {
        let request = self.handle.link().get();
        let messages = self.list("list the interfaces", || request.execute());
        let messages = messages.await?;
        Ok(messages.iter().map(describe).collect())
    }

    /// All addresses of all interfaces.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn all_addresses(&self) -> Result<Vec<Assigned>, NetlinkError> {
        let request = self.handle.address().get();
        let messages = self.list("list the addresses", || request.execute());
        let messages = messages.await?;
        Ok(messages.iter().filter_map(assigned).collect())
    }
}

fn assigned(message: &AddressMessage) -> Option<Assigned> {
    let address = message.attributes.iter().find_map(own_address)?;
    Some(Assigned {
        index: message.header.index,
        address,
        prefix: message.header.prefix_len,
    })
}

fn describe(message: &LinkMessage) -> Device {
    let flags = message.header.flags;
    let mut device = Device {
        index: message.header.index,
        up: flags.contains(LinkFlags::Up),
        carrier: flags.contains(LinkFlags::LowerUp),
        arp: !flags.contains(LinkFlags::Noarp),
        ethernet: message.header.link_layer_type == LinkLayerType::Ether,
        ..Device::default()
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => device.name.clone_from(name),
            LinkAttribute::Address(octets) => {
                device.mac = octets.as_slice().try_into().map_or(Mac::ZERO, Mac);
            }
            LinkAttribute::Mtu(mtu) => device.mtu = *mtu,
            LinkAttribute::Controller(index) => device.master = Some(*index),
            LinkAttribute::Xdp(details) => device.xdp = attached(details),
            LinkAttribute::LinkInfo(details) => virtual_kind(&mut device, details),
            _ => {}
        }
    }
    device
}

fn virtual_kind(device: &mut Device, details: &[LinkInfo]) {
    for detail in details {
        match detail {
            LinkInfo::Kind(kind) => device.kind = name(kind),
            LinkInfo::Data(InfoData::Bridge(settings)) => device.bridge = Some(bridge(settings)),
            LinkInfo::Data(InfoData::Bond(settings)) => {
                device.bond = settings.iter().find_map(|setting| match setting {
                    InfoBond::Mode(mode) => Some(*mode),
                    _ => None,
                });
            }
            _ => {}
        }
    }
}

fn name(kind: &InfoKind) -> String {
    kind.to_string()
}

fn bridge(settings: &[InfoBridge]) -> Bridge {
    let mut bridge = Bridge::default();
    for setting in settings {
        match setting {
            InfoBridge::AgeingTime(ticks) => bridge.ageing = TICK * *ticks,
            InfoBridge::ForwardDelay(ticks) => bridge.forward_delay = TICK * *ticks,
            InfoBridge::StpState(state) => {
                bridge.spanning_tree = *state != BridgeStpState::Disabled;
            }
            InfoBridge::MulticastSnooping(on) => bridge.snooping = *on,
            InfoBridge::MulticastQuerier(on) => bridge.querier = *on,
            _ => {}
        }
    }
    bridge
}
