//! That links, addresses or routes have changed, at once.

use futures_util::StreamExt;
use rtnetlink::{
    MulticastGroup, new_multicast_connection, packet_core::NetlinkPayload,
    packet_route::RouteNetlinkMessage,
};
use tokio::sync::watch;

use super::netlink::NetlinkError;

/// Changes of the network, to be waited for. What has changed is then to be looked up: notices can be
/// lost, and many of them be one.
#[derive(Clone, Debug)]
pub struct Changes {
    links: watch::Receiver<u64>,
    addresses: watch::Receiver<u64>,
    routes: watch::Receiver<u64>,
}

impl Changes {
    /// Begins to listen, in a task of its own.
    ///
    /// # Errors
    /// [`NetlinkError::Open`] if the kernel gives no socket.
    pub fn listen() -> Result<Self, NetlinkError> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Ipv4Ifaddr,
            MulticastGroup::Ipv6Ifaddr,
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
        ];
        let (connection, _, mut messages) =
            new_multicast_connection(&groups).map_err(NetlinkError::Open)?;
        tokio::spawn(connection);
        let (link_changes, links) = watch::channel(0);
        let (address_changes, addresses) = watch::channel(0);
        let (route_changes, routes) = watch::channel(0);
        tokio::spawn(async move {
            while let Some((message, _)) = messages.next().await {
                let changed: &[&watch::Sender<u64>] = match message.payload {
                    NetlinkPayload::InnerMessage(
                        RouteNetlinkMessage::NewLink(_) | RouteNetlinkMessage::DelLink(_),
                    ) => &[&link_changes],
                    NetlinkPayload::InnerMessage(
                        RouteNetlinkMessage::NewAddress(_) | RouteNetlinkMessage::DelAddress(_),
                    ) => &[&address_changes],
                    NetlinkPayload::InnerMessage(
                        RouteNetlinkMessage::NewRoute(_) | RouteNetlinkMessage::DelRoute(_),
                    ) => &[&route_changes],
                    NetlinkPayload::InnerMessage(_) => &[],
                    // Something was lost.
                    _ => &[&link_changes, &address_changes, &route_changes],
                };
                for changes in changed {
                    changes.send_modify(|count| *count += 1);
                }
            }
            tracing::error!("the kernel does not tell of changed links and routes any more");
        });
        Ok(Self {
            links,
            addresses,
            routes,
        })
    }

    /// Waits until a link has changed since this was last waited for.
    pub async fn link(&mut self) {
        changed(&mut self.links).await;
    }

    /// Waits until a link or an address of one has changed since this was last waited for.
    pub async fn link_or_address(&mut self) {
        tokio::select! {
            () = changed(&mut self.links) => {}
            () = changed(&mut self.addresses) => {}
        }
    }

    /// Waits until a route has changed since this was last waited for.
    pub async fn route(&mut self) {
        changed(&mut self.routes).await;
    }
}

async fn changed(changes: &mut watch::Receiver<u64>) {
    if changes.changed().await.is_err() {
        // The task has ended and has said so; nothing will ever come.
        std::future::pending::<()>().await;
    }
}
