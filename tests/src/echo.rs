//! The service behind the virtual IPs: UDP and TCP echo that names the node it runs on.

use std::{
    io::{self, Write},
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{setsockopt, sockopt},
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::{lab::Lab, node::Node, sys};

/// UDP and TCP port (RFC 862).
pub const PORT: u16 = 7;

/// The nodes' names, by index: who an answer is from.
#[derive(Clone, Debug)]
pub struct Names(Vec<String>);

impl Names {
    /// The names of a lab's nodes.
    #[must_use]
    pub fn of(lab: &Lab) -> Self {
        Self(
            lab.nodes()
                .iter()
                .map(|node| node.name().to_owned())
                .collect(),
        )
    }

    /// The node with this name.
    #[must_use]
    pub fn index(&self, name: &[u8]) -> Option<u8> {
        let index = self.0.iter().position(|node| node.as_bytes() == name)?;
        u8::try_from(index).ok()
    }
}

/// A running echo service. Ends on drop.
#[derive(Debug)]
pub struct Echo {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    /// Serves these addresses on a node, whether or not the node has them yet (`IP_FREEBIND`), and
    /// answers from the address that was asked.
    ///
    /// # Errors
    ///
    /// When a socket cannot be opened, for instance because the port is taken.
    pub fn start(node: &Node, addresses: &[IpAddr]) -> Result<Self> {
        node.namespace()
            .run(|| Self::start_here(node.name(), addresses))
    }

    /// The same in the calling thread's network namespace.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub fn start_here(name: &str, addresses: &[IpAddr]) -> Result<Self> {
        let sockets = addresses
            .iter()
            .map(|&address| {
                listen(address)
                    .with_context(|| format!("opening the echo service for {address} on {name}"))
            })
            .collect::<Result<Vec<_>>>()?;
        let name = name.to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name(format!("echo-{name}"))
            .spawn(move || serve(&sockets, name.as_bytes(), &stopped))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; probes without answers show the rest.
            let _ = thread.join();
        }
    }
}

fn listen(address: IpAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let udp = bind(address, Type::DGRAM, Protocol::UDP)?;
    setsockopt(&udp, sockopt::RcvBufForce, &(8 << 20))?;
    let tcp = bind(address, Type::STREAM, Protocol::TCP)?;
    tcp.listen(4096)?;
    Ok((udp.into(), tcp.into()))
}

fn bind(address: IpAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let address = SocketAddr::new(address, PORT);
    let socket = Socket::new(
        Domain::for_address(address),
        kind.nonblocking(),
        Some(protocol),
    )?;
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn serve(sockets: &[(UdpSocket, TcpListener)], name: &[u8], stop: &AtomicBool) {
    // Whether the service has time is not what is measured.
    let _ = sys::become_real_time();
    let look_for_stop = PollTimeout::from(50u8);
    while !stop.load(Ordering::Acquire) {
        let mut ready: Vec<PollFd<'_>> = sockets
            .iter()
            .flat_map(|(udp, tcp)| [udp.as_fd(), tcp.as_fd()])
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        // Interrupted or not, the sockets say what there is to do.
        let _ = poll(&mut ready, look_for_stop);
        for (udp, tcp) in sockets {
            answer_datagrams(udp, name);
            greet_connections(tcp, name);
        }
    }
}

fn answer_datagrams(udp: &UdpSocket, name: &[u8]) {
    let mut packet = [0; 2048];
    let room = packet.len() - name.len();
    while let Ok((length, from)) = udp.recv_from(&mut packet[..room]) {
        packet[length..length + name.len()].copy_from_slice(name);
        // A node that has just lost the address cannot send from it: that answer is lost.
        let _ = udp.send_to(&packet[..length + name.len()], from);
    }
}

fn greet_connections(tcp: &TcpListener, name: &[u8]) {
    while let Ok((mut connection, _)) = tcp.accept() {
        // The client may be gone already.
        let _ = connection.write_all(name);
    }
}
