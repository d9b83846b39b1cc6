//! One socket for each way: bound to its interface, and to a port of its own.

use std::{
    io,
    net::{SocketAddr, SocketAddrV6},
    os::fd::AsFd,
};

use anyhow::{Context, Result};
use ha_common::wire::bfd::{Control, HOP_LIMIT, SEAMLESS_PORT};
use tokio::{net::UdpSocket, sync::mpsc};

use super::{Answer, Way, packet, packet::Request, sys};
use crate::net::open_udp;

/// The socket.
#[derive(Debug)]
pub(super) struct Socket(UdpSocket);

impl Socket {
    pub(super) fn open(way: &Way) -> Result<Self> {
        open(way).map(Self).with_context(|| {
            format!(
                "cannot open the socket to probe {} over {}",
                way.address, way.interface
            )
        })
    }

    /// Sends a request at once or not at all.
    ///
    /// # Errors
    /// The kernel's. An earlier datagram that came back as an ICMP error counts for this one: it says as
    /// little as silence.
    pub(super) fn send(&self, request: &Request) -> io::Result<()> {
        self.0.try_send(&request.octets()).map(drop)
    }

    /// Reads answers to questions about groups. Those to probes do not come here.
    pub(super) async fn read(&self, slot: u32, answers: &mpsc::UnboundedSender<Answer>) {
        let mut buffer = [0; Control::LEN];
        loop {
            // An error is that of an earlier datagram.
            let Ok(len) = self.0.recv(&mut buffer).await else {
                continue;
            };
            let answer = packet::answer(&buffer[..len], slot);
            let Some((about, is_up)) = answer else {
                continue;
            };
            let answer = Answer { slot, about, is_up };
            if answers.send(answer).is_err() {
                return;
            }
        }
    }
}

fn open(way: &Way) -> io::Result<UdpSocket> {
    let socket = open_udp(&way.home.1, way.own.is_ipv4())?;
    sys::omit_checksums(socket.as_fd(), way.own.is_ipv4())?;
    // What came through a router is not taken (RFC 5082).
    sys::require_hop_limit(socket.as_fd(), way.own.is_ipv4(), HOP_LIMIT)?;
    socket.bind(&address(way.own, 0, way).into())?;
    socket.connect(&address(way.address, SEAMLESS_PORT, way).into())?;
    UdpSocket::from_std(socket.into())
}

/// A link-local address needs its interface.
fn address(address: std::net::IpAddr, port: u16, way: &Way) -> SocketAddr {
    match address {
        std::net::IpAddr::V4(v4) => (v4, port).into(),
        std::net::IpAddr::V6(v6) => SocketAddrV6::new(v6, port, 0, way.home.0).into(),
    }
}
