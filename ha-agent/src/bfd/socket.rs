//! Sockets of RFC 5881 section 4: one that listens for each interface and family, one that sends for each
//! session.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
};

use anyhow::{Context, Result};
use ha_common::wire::bfd::PORT;
use nix::{
    errno::Errno,
    sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt::Ipv4RecvTtl,
    },
};
use socket2::Socket;

use super::Router;
use crate::net::open_udp;

/// The ports from which a session may send: one of them, always the same (RFC 5881 section 4).
const SOURCES: std::ops::RangeInclusive<u16> = 49_152..=65_535;
/// How often a port is drawn that somebody else has.
const DRAWS: usize = 100;

/// Receives the control packets of an interface and a family.
#[derive(Debug)]
pub(super) struct Listener {
    socket: Socket,
    pub(super) ifindex: u32,
    pub(super) interface: String,
    is_v4: bool,
}

/// A datagram without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    pub(super) len: usize,
    pub(super) from: IpAddr,
    /// TTL or hop limit.
    pub(super) hop_limit: u8,
}

impl Listener {
    /// # Errors
    /// If the socket cannot be had; another BFD daemon on this host is the usual reason.
    pub(super) fn open(interface: &str, ifindex: u32, is_v4: bool) -> Result<Self> {
        let socket = listen(interface, is_v4).with_context(|| {
            format!(
                "cannot listen for BFD on {interface}, UDP port {PORT}: if another BFD daemon runs on \
                 this host, stop it, or remove [[bfd]]"
            )
        })?;
        Ok(Self {
            socket,
            ifindex,
            interface: interface.to_owned(),
            is_v4,
        })
    }

    pub(super) fn serves(&self, ifindex: u32, is_v4: bool) -> bool {
        self.ifindex == ifindex && self.is_v4 == is_v4
    }

    /// Writes the payload of the next datagram, if one is waiting, to `buffer`, cut to its size.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<Datagram>> {
        let mut control = nix::cmsg_space!(libc::c_int);
        let mut slices = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(
            self.socket.as_raw_fd(),
            &mut slices,
            Some(&mut control),
            MsgFlags::empty(),
        );
        let message = match message {
            Ok(message) => message,
            Err(Errno::EAGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let hop_limit = message.cmsgs()?.find_map(|message| hop_limit(&message));
        let from = message.address.as_ref().and_then(ip);
        Ok(Some(Datagram {
            len: message.bytes,
            from: from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            hop_limit: hop_limit.unwrap_or_default(),
        }))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn listen(interface: &str, is_v4: bool) -> io::Result<Socket> {
    let socket = open_udp(interface, is_v4)?;
    // Told and not refused by the kernel, so that it is counted.
    if is_v4 {
        setsockopt(&socket, Ipv4RecvTtl, &true)?;
    } else {
        socket.set_recv_hoplimit_v6(true)?;
    }
    socket.bind(&anywhere(is_v4, PORT).into())?;
    Ok(socket)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "an open set, of which two are asked for"
)]
fn hop_limit(message: &ControlMessageOwned) -> Option<u8> {
    match message {
        ControlMessageOwned::Ipv4Ttl(ttl) => u8::try_from(*ttl).ok(),
        ControlMessageOwned::Ipv6HopLimit(limit) => u8::try_from(*limit).ok(),
        _ => None,
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

/// Sends the packets of a session.
///
/// It is not tied to an own address: that is the kernel's choice by its routes, and may change.
#[derive(Debug)]
pub(super) struct Sender {
    socket: Socket,
    to: SocketAddr,
}

impl Sender {
    /// # Errors
    /// If the socket cannot be had.
    pub(super) fn open(router: &Router) -> Result<Self> {
        let interface = &router.session.interface;
        let to = router.session.address;
        let socket = send_from(interface, to.is_ipv4())
            .with_context(|| format!("cannot open the socket to speak BFD over {interface}"))?;
        let to = match to {
            IpAddr::V4(v4) => (v4, PORT).into(),
            // A link-local address needs its interface.
            IpAddr::V6(v6) => SocketAddrV6::new(v6, PORT, 0, router.ifindex).into(),
        };
        Ok(Self { socket, to })
    }

    /// Sends a packet at once or not at all.
    ///
    /// # Errors
    /// The kernel's; `ENETUNREACH` while the interface has no address of this family.
    pub(super) fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.socket.send_to(octets, &self.to.into()).map(drop)
    }
}

fn send_from(interface: &str, is_v4: bool) -> io::Result<Socket> {
    let socket = open_udp(interface, is_v4)?;
    let mut draws = (0..DRAWS).map(|_| {
        let port = fastrand::u16(SOURCES);
        socket.bind(&anywhere(is_v4, port).into())
    });
    let is_taken = |result: &io::Result<()>| {
        result
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    };
    let drawn = draws.find(|result| !is_taken(result));
    drawn.unwrap_or_else(|| Err(io::ErrorKind::AddrInUse.into()))?;
    Ok(socket)
}

fn anywhere(is_v4: bool, port: u16) -> SocketAddr {
    if is_v4 {
        (Ipv4Addr::UNSPECIFIED, port).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, port).into()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use super::*;

    fn wait(listener: &Listener, buffer: &mut [u8]) -> Datagram {
        for _ in 0..1_000 {
            match listener.receive(buffer).unwrap() {
                Some(datagram) => return datagram,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        panic!("nothing came");
    }

    /// Whoever else runs these tests on this host has the port for a moment only.
    fn listener() -> Listener {
        for _ in 0..1_000 {
            if let Ok(listener) = Listener::open("lo", 1, true) {
                return listener;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Listener::open("lo", 1, true).unwrap()
    }

    #[test]
    fn a_packet_leaves_from_a_port_of_the_range_with_the_greatest_ttl() {
        let listener = listener();
        let second = ha_core::bfd::Micros::SECOND;
        let session = crate::config::Bfd {
            name: "it".to_owned(),
            interface: "lo".to_owned(),
            address: Ipv4Addr::LOCALHOST.into(),
            session: ha_core::bfd::Config {
                desired_min_tx: second,
                required_min_rx: second,
                detect_mult: std::num::NonZeroU8::MIN,
                is_passive: false,
                required_min_echo_rx: second,
                echo_interval: None,
            },
        };
        let router = Router {
            session,
            ifindex: 1,
        };
        let sender = Sender::open(&router).unwrap();
        let port = sender.socket.local_addr().unwrap().as_socket().unwrap();
        assert!(SOURCES.contains(&port.port()));
        sender.send(&[7; 24]).unwrap();
        let mut buffer = [0; 64];
        let datagram = wait(&listener, &mut buffer);
        let expected = Datagram {
            len: 24,
            from: Ipv4Addr::LOCALHOST.into(),
            hop_limit: 255,
        };
        assert_eq!(datagram, expected);
        assert_eq!(buffer[..24], [7; 24]);
        // Of any other sender the TTL is told as it is.
        let other = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        other.set_ttl(9).unwrap();
        other.send_to(&[1], (Ipv4Addr::LOCALHOST, PORT)).unwrap();
        let datagram = wait(&listener, &mut buffer);
        assert_eq!((datagram.len, datagram.hop_limit), (1, 9));
        assert_eq!(listener.receive(&mut buffer).unwrap(), None);
    }
}
