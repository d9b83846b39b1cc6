//! The kernel's network as the agent uses it: links, routes and filters by netlink, and raw frames.
//!
//! * [`Netlink`]: one connection; [`link`], [`route`], [`filter`] and [`neighbour`] say what it can do;
//! * [`PacketSocket`]: sends any frame, receives VRRP;
//! * [`Ping`]: echo requests to one host;
//! * [`Features`]: what interfaces can do with XDP;
//! * [`Membership`]: the VRRP multicast groups;
//! * `udp`: sockets for control packets of the link; `echo`: packets to oneself by way of a neighbour;
//! * [`frame`]: announcements and advertisements as octets.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "netlink has open sets of attributes, of which each place wants a few"
)]

mod changes;
mod echo;
mod features;
mod filter;
pub mod frame;
mod joined;
mod link;
mod membership;
mod neighbour;
mod netlink;
mod packet;
mod ping;
mod route;
mod udp;

pub use self::{
    changes::Changes,
    features::Features,
    link::{Addresses, AttachedXdp, Leads, Link},
    membership::Membership,
    netlink::{Netlink, NetlinkError},
    packet::{PacketSocket, Received},
    ping::Ping,
    route::ROUTE_PROTOCOL,
};
pub(crate) use self::{echo::EchoSocket, udp::open as open_udp};
