//! The kernel's network as the agent uses it: links, routes and filters by netlink, and raw frames.
//!
//! * [`Netlink`]: one connection; [`link`], [`route`], [`filter`] and [`neighbour`] say what it can do;
//! * [`ClientRoute`] and [`accept_local`]: what this host's own programs need as clients of virtual IPs;
//! * [`inventory`]: everything that the host has; [`Ethtool`]: what its drivers can do;
//! * [`Asker`]: has another host send to a MAC;
//! * [`PacketSocket`]: sends any frame, receives VRRP;
//! * [`Ping`]: echo requests to one host;
//! * [`Membership`]: the VRRP multicast groups;
//! * `udp`: sockets for control packets of the link; `echo`: packets to oneself by way of a neighbour;
//! * [`frame`]: announcements and advertisements as octets.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink has open sets of attributes, of which each place wants a few"
)]

pub mod accept_local;
mod arp;
mod bond;
mod changes;
mod client_route;
mod echo;
mod ethtool;
mod filter;
pub mod frame;
mod inventory;
mod joined;
mod link;
mod membership;
mod name;
mod neighbour;
mod netlink;
mod packet;
mod ping;
mod route;
mod udp;

pub use self::{
    arp::Asker,
    bond::receivers,
    changes::Changes,
    client_route::ClientRoute,
    ethtool::{Channels, Count, Ethtool, Features, STRIPS, Strip, XdpFeatures},
    inventory::{Assigned, Bridge, Device},
    link::{Addresses, AttachedXdp, Bond, Leads, Link},
    membership::Membership,
    name::interface_name,
    netlink::{Netlink, NetlinkError},
    packet::{PacketSocket, Received},
    ping::Ping,
    route::ROUTE_PROTOCOL,
};
pub use rtnetlink::packet_route::link::BondMode;

pub(crate) use self::{echo::EchoSocket, udp::open as open_udp};
