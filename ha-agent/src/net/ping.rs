//! Echo requests to one host, and its replies (RFC 792, RFC 4443 section 4).

use std::{
    io::{self, Read},
    net::{IpAddr, SocketAddr, SocketAddrV6},
    sync::atomic::{AtomicU16, Ordering},
};

use ha_common::wire::{checksum::Sum, icmp};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::packet::sys;

/// Octets of a message: the header alone.
const LEN: usize = size_of::<icmp::Echo>();
/// Room for a reply with the largest IPv4 header before it.
const ROOM: usize = 60 + LEN;

/// How many sockets have been opened.
static OPENED: AtomicU16 = AtomicU16::new(0);

/// A raw socket (raw(7)) that talks to one host over one interface.
#[derive(Debug)]
pub struct Ping {
    socket: AsyncFd<Socket>,
    is_v4: bool,
    /// Tells replies to this socket from those to others, also of this process.
    identifier: u16,
}

impl Ping {
    /// Opens the socket.
    ///
    /// # Errors
    /// The kernel's; without `CAP_NET_RAW` that is `EPERM`.
    pub fn open(address: IpAddr, interface: &str, ifindex: u32) -> io::Result<Self> {
        let is_v4 = address.is_ipv4();
        let (domain, protocol) = if is_v4 {
            (Domain::IPV4, Protocol::ICMPV4)
        } else {
            (Domain::IPV6, Protocol::ICMPV6)
        };
        let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
        socket.set_nonblocking(true)?;
        socket.bind_device(Some(interface.as_bytes()))?;
        let target: SocketAddr = match address {
            IpAddr::V4(v4) => (v4, 0).into(),
            // A link-local address needs its interface.
            IpAddr::V6(v6) => SocketAddrV6::new(v6, 0, 0, ifindex).into(),
        };
        // From now on nothing of anybody else comes in.
        socket.connect(&target.into())?;
        Ok(Self {
            socket: sys::watch(socket)?,
            is_v4,
            identifier: (std::process::id() as u16)
                .wrapping_add(OPENED.fetch_add(1, Ordering::Relaxed)),
        })
    }

    /// Sends a request at once or not at all.
    ///
    /// # Errors
    /// The kernel's, as if there is no route.
    pub fn send(&self, sequence: u16) -> io::Result<()> {
        let message = request(self.is_v4, self.identifier, sequence);
        self.socket.get_ref().send(&message).map(drop)
    }

    /// The number of the next reply to this socket that has come in already.
    pub fn waiting(&self) -> Option<u16> {
        let mut buffer = [0; ROOM];
        loop {
            match self.socket.get_ref().read(&mut buffer) {
                Ok(len) => {
                    let found = reply(self.is_v4, self.identifier, &buffer[..len]);
                    if found.is_some() {
                        return found;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // As below.
                Err(_) => {}
            }
        }
    }

    /// Waits for the next reply to this socket; the number of its request.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub async fn reply(&self) -> io::Result<u16> {
        let mut buffer = [0; ROOM];
        loop {
            let mut ready = self.socket.readable().await?;
            match self.socket.get_ref().read(&mut buffer) {
                Ok(len) => {
                    let found = reply(self.is_v4, self.identifier, &buffer[..len]);
                    if let Some(sequence) = found {
                        return Ok(sequence);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                // That of an earlier request, as that the host is not reachable: it says as little as silence.
                Err(_) => {}
            }
        }
    }
}

fn request(is_v4: bool, identifier: u16, sequence: u16) -> [u8; LEN] {
    let kind = if is_v4 {
        icmp::V4_ECHO_REQUEST
    } else {
        icmp::V6_ECHO_REQUEST
    };
    let [a, b] = identifier.to_be_bytes();
    let [c, d] = sequence.to_be_bytes();
    let mut message = [kind, 0, 0, 0, a, b, c, d];
    if is_v4 {
        // Over IPv6 the kernel makes it (RFC 3542 section 3.1).
        let sum = Sum::ZERO.add([kind, 0]).add([a, b]).add([c, d]);
        message[2..4].copy_from_slice(&sum.checksum());
    }
    message
}

/// The number of the request that this answers; `None` if it is something else.
fn reply(is_v4: bool, identifier: u16, octets: &[u8]) -> Option<u16> {
    // Of IPv4 the kernel hands out the header, too (raw(7)); its length is in words.
    let header = if is_v4 {
        usize::from(octets.first()? & 0x0f) * 4
    } else {
        0
    };
    let [kind, code, _, _, a, b, c, d] = *octets.get(header..)?.first_chunk::<LEN>()?;
    let wanted = if is_v4 {
        icmp::V4_ECHO_REPLY
    } else {
        icmp::V6_ECHO_REPLY
    };
    let is_ours = kind == wanted && code == 0 && u16::from_be_bytes([a, b]) == identifier;
    is_ours.then_some(u16::from_be_bytes([c, d]))
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::{Ping, reply, request};

    /// What a host makes of a request.
    fn answered(is_v4: bool, mut message: [u8; 8]) -> Vec<u8> {
        message[0] = if is_v4 { 0 } else { 129 };
        let mut octets = if is_v4 { vec![0x45; 20] } else { Vec::new() };
        octets.extend(message);
        octets
    }

    #[test]
    fn a_reply_gives_back_the_number() {
        for is_v4 in [true, false] {
            let request = request(is_v4, 0xabcd, 0x1234);
            let octets = answered(is_v4, request);
            assert_eq!(reply(is_v4, 0xabcd, &octets), Some(0x1234));
            assert_eq!(reply(is_v4, 0xabce, &octets), None, "to another process");
            assert_eq!(reply(is_v4, 0xabcd, &octets[..octets.len() - 1]), None);
        }
        assert_eq!(reply(true, 0xabcd, &[]), None);
        let echo = [vec![0x45; 20], request(true, 1, 1).to_vec()].concat();
        assert_eq!(reply(true, 1, &echo), None, "a request is no reply");
    }

    #[test]
    fn the_checksum_of_a_request_is_right() {
        // 0x0800 + 0x0001 + 0x0002, complemented.
        assert_eq!(request(true, 1, 2), [8, 0, 0xf7, 0xfc, 0, 1, 0, 2]);
    }

    #[tokio::test]
    async fn the_own_host_answers_over_loopback() {
        let Ok(ping) = Ping::open(Ipv4Addr::LOCALHOST.into(), "lo", 1) else {
            // Without the right to raw sockets there is nothing to try.
            return;
        };
        ping.send(7).unwrap();
        let reply = tokio::time::timeout(Duration::from_secs(5), ping.reply());
        assert_eq!(reply.await.unwrap().unwrap(), 7);
        let other = Ping::open(Ipv4Addr::LOCALHOST.into(), "lo", 1).unwrap();
        other.send(8).unwrap();
        assert_eq!(
            other.waiting(),
            Some(8),
            "over loopback it is there at once"
        );
        assert_eq!(ping.waiting(), None, "that of another socket");
    }
}
