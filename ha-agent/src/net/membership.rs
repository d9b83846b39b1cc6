//! The VRRP multicast groups.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr},
};

use ha_common::wire::vrrp;
use socket2::{Domain, InterfaceIndexOrAddress, Socket, Type};

/// Membership of an interface in 224.0.0.18 and `ff02::12`, until it is dropped.
///
/// The packet socket would see the frames without it, if they came: it is for the NIC's filter, and
/// for switches that listen to IGMP and MLD.
#[derive(Debug)]
pub struct Membership {
    /// The kernel ties memberships to sockets; nothing is ever received here.
    _sockets: [Socket; 2],
}

impl Membership {
    /// Joins both groups on the interface `index`.
    ///
    /// # Errors
    /// The kernel's, with the group in the message.
    pub fn join(index: u32) -> io::Result<Self> {
        let v4 = Ipv4Addr::from(vrrp::MULTICAST4);
        let v6 = Ipv6Addr::from(vrrp::MULTICAST6);
        let named = |group: &dyn std::fmt::Display, error: io::Error| {
            io::Error::new(error.kind(), format!("cannot join {group}: {error}"))
        };
        let socket4 = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket4
            .join_multicast_v4_n(&v4, &InterfaceIndexOrAddress::Index(index))
            .map_err(|error| named(&v4, error))?;
        let socket6 = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        socket6
            .join_multicast_v6(&v6, index)
            .map_err(|error| named(&v6, error))?;
        Ok(Self {
            _sockets: [socket4, socket6],
        })
    }
}
