//! Connections by which services are asked.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs, lookup_host};

/// The virtual IPs of the node as they are now. All clones are of the same.
#[derive(Clone, Debug, Default)]
pub struct Vips(Arc<RwLock<HashSet<IpAddr>>>);

impl Vips {
    /// These, and no others, from now on.
    pub fn set(&self, vips: impl IntoIterator<Item = IpAddr>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = vips.into_iter().collect();
    }

    fn contains(&self, address: IpAddr) -> bool {
        let vips = self.0.read().unwrap_or_else(PoisonError::into_inner);
        vips.contains(&address)
    }
}

/// What connects to services.
///
/// At a virtual IP this host's own service is meant, whichever node has the address: it is asked from the address
/// itself, and what goes from an address to itself does not leave the host.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    vips: Vips,
}

impl Connector {
    pub(super) const fn new(vips: Vips) -> Self {
        Self { vips }
    }

    /// Connects to the first address of a service that accepts.
    pub(super) async fn connect(&self, service: impl ToSocketAddrs) -> io::Result<TcpStream> {
        let mut failed = io::Error::other("the name has no address");
        for address in lookup_host(service).await? {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let own = SocketAddr::new(address.ip(), 0);
        if !self.vips.contains(own.ip()) {
            return TcpStream::connect(address).await;
        }
        let kind = Type::STREAM.nonblocking();
        let socket = Socket::new(Domain::for_address(own), kind, Some(Protocol::TCP))?;
        match own {
            SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
            SocketAddr::V6(_) => socket.set_freebind_v6(true)?,
        }
        socket.bind(&own.into())?;
        let socket = TcpSocket::from_std_stream(socket.into());
        socket.connect(address).await
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use tokio::net::TcpListener;

    use super::{Connector, Vips};

    #[tokio::test]
    async fn a_virtual_ip_is_asked_from_itself() {
        let vip: IpAddr = "127.0.0.9".parse().unwrap();
        let vips = Vips::default();
        let connector = Connector::new(vips.clone());
        vips.set([vip]);
        for (address, from) in [("127.0.0.9:0", vip), ("127.0.0.8:0", [127, 0, 0, 1].into())] {
            let listener = TcpListener::bind(address).await.unwrap();
            let service = listener.local_addr().unwrap();
            let _connected = connector.connect(service).await.unwrap();
            let (_, asked_from) = listener.accept().await.unwrap();
            assert_eq!(asked_from.ip(), from, "{address}");
        }
    }
}
