//! Raw frames on an interface: sends any, receives VRRP.

pub(super) mod filter;
pub(super) mod sys;

use std::{io, os::fd::AsFd};

use ha_common::abi::Vlan;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;

/// A packet socket (packet(7)) bound to one interface.
///
/// Of what comes in it keeps only VRRP, in either family, with up to two VLAN tags; what the host
/// itself sends is left out.
#[derive(Debug)]
pub struct PacketSocket {
    socket: AsyncFd<Socket>,
}

/// What came with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Octets of the frame that are in the buffer.
    pub len: usize,
    /// The VLAN id that the kernel took off the frame, 0 if none. A second tag is still in it.
    pub outer_vlan: u16,
}

impl PacketSocket {
    /// Opens the socket on the interface `index`.
    ///
    /// # Errors
    /// The kernel's; without `CAP_NET_RAW` that is `EPERM`.
    pub fn open(index: u32) -> io::Result<Self> {
        // Without a protocol nothing is received until the filter is in place and `bind` names one.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        socket.set_nonblocking(true)?;
        socket.attach_filter(&filter::VRRP)?;
        sys::deliver_vlan_tags(socket.as_fd())?;
        sys::ignore_outgoing(socket.as_fd())?;
        sys::bind(socket.as_fd(), index)?;
        Ok(Self {
            socket: sys::watch(socket)?,
        })
    }

    /// Waits until [`PacketSocket::try_recv`] has something to give, a frame or an error.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            // Readiness stays until it is cleared, which only an empty queue allows.
            if sys::has_next(self.socket.get_ref().as_fd()) {
                return Ok(());
            }
            ready.clear_ready();
        }
    }

    /// Writes the next frame, if one is waiting, to `buffer`, cut to its size.
    ///
    /// # Errors
    /// The kernel's; `ENETDOWN` once when the interface goes down.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        match sys::receive(self.socket.get_ref().as_fd(), buffer) {
            Ok(received) => Ok(Some(received)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a frame, Ethernet header and tags included, at once or not at all.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` or `ENOBUFS` if the queue is full, `ENETDOWN` if the interface is
    /// down.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.socket.get_ref().send(frame).map(drop)
    }
}

impl Received {
    /// The tags of a frame whose second tag, if any, was `inner`.
    #[must_use]
    pub const fn vlan(self, inner: u16) -> Vlan {
        match self.outer_vlan {
            0 => Vlan {
                outer: inner,
                inner: 0,
            },
            outer => Vlan { outer, inner },
        }
    }
}
