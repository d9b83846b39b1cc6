//! Links and their own addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::TryStreamExt;
use ha_common::abi::Mac;
use rtnetlink::packet_route::{
    address::AddressAttribute,
    link::{
        BondMode, InfoBond, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
        LinkXdp, XdpAttached,
    },
};

use super::netlink::{Netlink, NetlinkError, errno};

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its own MAC.
    pub mac: Mac,
    /// Whether it is up and has a carrier (`IFF_UP` and `IFF_LOWER_UP`).
    pub up: bool,
    /// Its MTU, octets of IP.
    pub mtu: u32,
    /// Whether it is one end of a veth pair.
    pub veth: bool,
    /// Whether it is a bridge.
    pub bridge: bool,
    /// If it is a bond.
    pub bond: Option<Bond>,
    /// What becomes of what is sent to it.
    pub leads: Leads,
    /// Index of the bridge or bond that it is a port of.
    pub master: Option<u32>,
    /// Index of the interface that it lies on: of a macvlan or of a VLAN.
    pub lower: Option<u32>,
    /// The XDP program on it, whosever it is.
    pub xdp: Option<AttachedXdp>,
}

/// What is known of a bond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// How it shares its ports out; `None` if the kernel does not tell.
    pub mode: Option<BondMode>,
    /// Index of the port that it uses, if it uses one alone.
    pub uses: Option<u32>,
}

/// What becomes of a frame that is sent to an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leads {
    /// It leaves over it.
    #[default]
    Out,
    /// A process gets it: tun and tap.
    ToProcess,
    /// It leaves over the interface below: macvlan and macvtap, which get what comes in there with their MAC.
    OutBelow,
}

/// An XDP program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachedXdp {
    /// Its id in the kernel.
    pub program: u32,
    /// Whether it runs in the stack (generic mode), not in the driver or on the NIC.
    pub generic: bool,
}

/// The addresses from which an interface sends protocol packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The primary IPv4 address: the first one that the kernel lists.
    pub v4: Option<Ipv4Addr>,
    /// The link-local IPv6 address.
    pub link_local: Option<Ipv6Addr>,
}

impl Addresses {
    /// Whether it is one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.v4 == Some(v4),
            IpAddr::V6(v6) => self.link_local == Some(v6),
        }
    }
}

impl Netlink {
    /// The interface of this name, or `None` if there is none.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn link(&self, name: &str) -> Result<Option<Link>, NetlinkError> {
        let mut replies = self.handle.link().get().match_name(name).execute();
        match replies.try_next().await {
            Ok(reply) => Ok(reply.map(|message| describe(name, &message))),
            Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(NetlinkError::new(
                format!("look up the interface {name}"),
                &error,
            )),
        }
    }

    /// The interface with this index, or `None` if there is none.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn link_at(&self, index: u32) -> Result<Option<Link>, NetlinkError> {
        let mut replies = self.handle.link().get().match_index(index).execute();
        match replies.try_next().await {
            Ok(reply) => Ok(reply.map(|message| describe("", &message))),
            Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(NetlinkError::new(
                format!("look up the interface with index {index}"),
                &error,
            )),
        }
    }

    /// The interface that has the host's addresses for `link`: the bridge if it is a port of one, else itself.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn home(&self, link: &Link) -> Result<Link, NetlinkError> {
        let master = match link.master {
            Some(index) => self.link_at(index).await?,
            None => None,
        };
        let bridge = master.filter(|master| master.bridge);
        Ok(bridge.unwrap_or_else(|| link.clone()))
    }

    /// All interfaces.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        let request = self.handle.link().get();
        let replies = self.list("list the interfaces", || request.execute());
        let replies = replies.await?;
        Ok(replies
            .iter()
            .map(|message| describe("", message))
            .collect())
    }

    /// The own addresses of the interface `index`.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn addresses(&self, index: u32) -> Result<Addresses, NetlinkError> {
        let mut found = Addresses::default();
        let request = self.handle.address().get().set_link_index_filter(index);
        let replies = self.list("list the interface's addresses", || request.execute());
        for message in replies.await? {
            match message.attributes.iter().find_map(own_address) {
                Some(IpAddr::V4(v4)) => found.v4 = found.v4.or(Some(v4)),
                Some(IpAddr::V6(v6)) if v6.is_unicast_link_local() => {
                    found.link_local = found.link_local.or(Some(v6));
                }
                Some(IpAddr::V6(_)) | None => {}
            }
        }
        Ok(found)
    }
}

fn describe(name: &str, message: &LinkMessage) -> Link {
    let mut link = Link {
        index: message.header.index,
        name: name.to_owned(),
        up: message
            .header
            .flags
            .contains(LinkFlags::Up | LinkFlags::LowerUp),
        ..Link::default()
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Address(octets) => {
                link.mac = octets.as_slice().try_into().map_or(Mac::ZERO, Mac);
            }
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::IfName(own) if name.is_empty() => link.name.clone_from(own),
            LinkAttribute::LinkInfo(details) => {
                link.veth = details.contains(&LinkInfo::Kind(InfoKind::Veth));
                link.bridge = details.contains(&LinkInfo::Kind(InfoKind::Bridge));
                link.bond = bond(details);
                link.leads = leads(details);
            }
            LinkAttribute::Controller(index) => link.master = Some(*index),
            LinkAttribute::Link(index) => link.lower = Some(*index),
            LinkAttribute::Xdp(details) => link.xdp = attached(details),
            _ => {}
        }
    }
    link
}

fn bond(details: &[LinkInfo]) -> Option<Bond> {
    if !details.contains(&LinkInfo::Kind(InfoKind::Bond)) {
        return None;
    }
    let settings = details.iter().find_map(|detail| match detail {
        LinkInfo::Data(InfoData::Bond(settings)) => Some(settings),
        _ => None,
    });
    let mut bond = Bond::default();
    for setting in settings.into_iter().flatten() {
        match setting {
            InfoBond::Mode(mode) => bond.mode = Some(*mode),
            InfoBond::ActivePort(index) => bond.uses = Some(*index),
            _ => {}
        }
    }
    Some(bond)
}

fn leads(details: &[LinkInfo]) -> Leads {
    let kind = details.iter().find_map(|detail| match detail {
        LinkInfo::Kind(kind) => Some(kind),
        _ => None,
    });
    match kind {
        Some(InfoKind::Tun) => Leads::ToProcess,
        Some(InfoKind::MacVlan | InfoKind::MacVtap) => Leads::OutBelow,
        _ => Leads::Out,
    }
}

pub(super) fn attached(details: &[LinkXdp]) -> Option<AttachedXdp> {
    let program = details.iter().find_map(|detail| match detail {
        LinkXdp::ProgId(id)
        | LinkXdp::DrvProgId(id)
        | LinkXdp::SkbProgId(id)
        | LinkXdp::HwProgId(id) => Some(*id),
        _ => None,
    })?;
    let generic = details.contains(&LinkXdp::Attached(XdpAttached::SocketBuffer));
    Some(AttachedXdp { program, generic })
}

/// `IFA_LOCAL` is the own end of a point-to-point IPv4 address; IPv6 has only `IFA_ADDRESS`.
pub(super) fn own_address(attribute: &AddressAttribute) -> Option<IpAddr> {
    match attribute {
        AddressAttribute::Local(address) | AddressAttribute::Address(address @ IpAddr::V6(_)) => {
            Some(*address)
        }
        _ => None,
    }
}
