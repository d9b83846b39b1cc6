//! Routes for this host's own programs as clients of virtual IPs: what they send has an own address as its source, and
//! fits the interface over which it may have to go.
//!
//! They lie before the routes that make the addresses local, and change neither where a packet goes nor what is
//! local. A kernel may remove one of IPv4 when its source leaves the host; the other route remains, so that the
//! address goes on being served.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use futures_util::StreamExt;
use rtnetlink::{
    Error,
    packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload},
    packet_route::{
        RouteNetlinkMessage,
        route::{RouteAddress, RouteAttribute, RouteMessage, RouteMetric},
    },
};

use super::{
    netlink::{Netlink, NetlinkError, pipelined, unless},
    route::{destination, local_route},
};

/// The origin that marks these routes as this agent's; the next number after that of the other ones.
const CLIENT_PROTOCOL: u8 = super::ROUTE_PROTOCOL + 1;

/// Before the other ones in IPv6, which have what the kernel gives without a wish (`IP6_RT_PRIO_USER`, 1024). In IPv4 a
/// route that is neither to be the only nor the last one of its kind is put before its like.
const PRIORITY6: u32 = 512;

/// What programs on this host send to a virtual IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientRoute {
    /// The virtual IP.
    pub vip: IpAddr,
    /// The source that packets have whose program did not choose one. In IPv6 the kernel chooses an address of an
    /// interface by itself.
    pub source: Option<Ipv4Addr>,
    /// The longest packet, octets of IP.
    pub mtu: u32,
}

impl Netlink {
    /// The routes that this agent, or one before it, made.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn client_routes(&self) -> Result<BTreeSet<ClientRoute>, NetlinkError> {
        let routes = self.routes_of(CLIENT_PROTOCOL, "list the client routes");
        Ok(routes.await?.iter().filter_map(read).collect())
    }

    /// Adds routes. The routes that make their addresses local must be there already.
    ///
    /// # Errors
    /// [`NetlinkError`] names the first one that the kernel refused.
    pub async fn add_client_routes(
        &self,
        routes: impl IntoIterator<Item = ClientRoute>,
    ) -> Result<(), NetlinkError> {
        pipelined(routes, |route| async move {
            let added = self.put_before(message(&route)).await;
            unless(&[libc::EEXIST], added).map_err(|error| {
                NetlinkError::new(format!("add the client route {}", route.vip), &error)
            })
        })
        .await
    }

    /// Takes back [`Netlink::add_client_routes`].
    ///
    /// # Errors
    /// [`NetlinkError`] names the first one that the kernel refused.
    pub async fn del_client_routes(
        &self,
        routes: impl IntoIterator<Item = ClientRoute>,
    ) -> Result<(), NetlinkError> {
        pipelined(routes, |route| async move {
            let removed = self.handle.route().del(message(&route)).execute().await;
            unless(&[libc::ESRCH], removed).map_err(|error| {
                NetlinkError::new(format!("remove the client route {}", route.vip), &error)
            })
        })
        .await
    }

    /// As `ip route prepend`.
    async fn put_before(&self, route: RouteMessage) -> Result<(), Error> {
        let mut request = NetlinkMessage::from(RouteNetlinkMessage::NewRoute(route));
        request.header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
        let mut replies = self.handle.clone().request(request)?;
        while let Some(reply) = replies.next().await {
            if let NetlinkPayload::Error(error) = reply.payload {
                return Err(Error::NetlinkError(error));
            }
        }
        Ok(())
    }
}

fn message(route: &ClientRoute) -> RouteMessage {
    let mut message = local_route(route.vip, CLIENT_PROTOCOL);
    let source = route.source.map(RouteAddress::Inet);
    let attributes = &mut message.attributes;
    if route.vip.is_ipv6() {
        attributes.push(RouteAttribute::Priority(PRIORITY6));
    }
    attributes.extend(source.map(RouteAttribute::PrefSource));
    attributes.push(RouteAttribute::Metrics(vec![RouteMetric::Mtu(route.mtu)]));
    message
}

fn read(message: &RouteMessage) -> Option<ClientRoute> {
    let mut route = ClientRoute {
        vip: destination(message)?,
        source: None,
        mtu: 0,
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::PrefSource(RouteAddress::Inet(source)) => route.source = Some(*source),
            RouteAttribute::Metrics(metrics) => {
                let mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) => Some(*mtu),
                    _ => None,
                });
                route.mtu = mtu.unwrap_or(0);
            }
            _ => {}
        }
    }
    Some(route)
}

#[cfg(test)]
mod tests {
    use super::{ClientRoute, message, read};

    #[test]
    fn a_route_is_read_as_it_was_written() {
        for route in [
            ClientRoute {
                vip: "192.0.2.10".parse().unwrap(),
                source: "192.0.2.1".parse().ok(),
                mtu: 1500,
            },
            ClientRoute {
                vip: "2001:db8::10".parse().unwrap(),
                source: None,
                mtu: 9000,
            },
        ] {
            assert_eq!(read(&message(&route)), Some(route));
        }
    }
}
