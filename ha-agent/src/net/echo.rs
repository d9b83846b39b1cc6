//! Packets to oneself by way of a neighbour, as the echo function of BFD has them.

use std::{
    io::{self, Read as _},
    net::{IpAddr, SocketAddr, SocketAddrV6},
    os::fd::{AsFd, BorrowedFd},
};

use ha_common::wire::bfd::ECHO_PORT;
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    frame::echo,
    open_udp,
    packet::{filter, sys},
};

/// Room for a packet with the larger header.
const ROOM: usize = 40 + 8 + echo::PAYLOAD;

/// Sends to the neighbour what is addressed to this host, and receives what comes back.
#[derive(Debug)]
pub(crate) struct EchoSocket {
    /// The IP header is ours, the way to the neighbour is the kernel's.
    raw: Socket,
    /// The stack would drop what seems to come from this host's own address.
    packet: Socket,
    interface: String,
    via: SocketAddr,
}

impl EchoSocket {
    /// Opens the sockets.
    ///
    /// # Errors
    /// The kernel's; without `CAP_NET_RAW` that is `EPERM`.
    pub(crate) fn open(interface: &str, ifindex: u32, via: IpAddr) -> io::Result<Self> {
        let (domain, via) = match via {
            IpAddr::V4(v4) => (Domain::IPV4, (v4, 0).into()),
            // A link-local address needs its interface.
            IpAddr::V6(v6) => (Domain::IPV6, SocketAddrV6::new(v6, 0, 0, ifindex).into()),
        };
        let raw = Socket::new(domain, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
        raw.set_nonblocking(true)?;
        raw.bind_device(Some(interface.as_bytes()))?;
        // Without a protocol nothing is received until the filter is in place and `bind` names one.
        let packet = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(0)))?;
        packet.set_nonblocking(true)?;
        packet.attach_filter(&filter::ECHO)?;
        sys::ignore_outgoing(packet.as_fd())?;
        sys::bind(packet.as_fd(), ifindex)?;
        Ok(Self {
            raw,
            packet,
            interface: interface.to_owned(),
            via,
        })
    }

    /// The own address from which the kernel speaks with the neighbour.
    ///
    /// # Errors
    /// The kernel's, as if there is no route.
    pub(crate) fn own_address(&self) -> io::Result<IpAddr> {
        let socket = open_udp(&self.interface, self.via.is_ipv4())?;
        let mut via = self.via;
        via.set_port(ECHO_PORT);
        socket.connect(&via.into())?;
        let own = socket.local_addr()?.as_socket();
        own.map(|own| own.ip())
            .ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    /// Sends a packet to `own` at once or not at all.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn send(&self, own: IpAddr, payload: &[u8; echo::PAYLOAD]) -> io::Result<()> {
        let packet = echo::build(own, payload);
        self.raw.send_to(&packet, &self.via.into()).map(drop)
    }

    /// The payload of the next packet that is back, if one is waiting; `Some(None)` if it is something else.
    ///
    /// # Errors
    /// The kernel's; `ENETDOWN` once when the interface goes down.
    pub(crate) fn receive(&self) -> io::Result<Option<Option<[u8; echo::PAYLOAD]>>> {
        let mut buffer = [0; ROOM];
        match (&self.packet).read(&mut buffer) {
            Ok(len) => Ok(Some(echo::read(&buffer[..len]))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for EchoSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.packet.as_fd()
    }
}
