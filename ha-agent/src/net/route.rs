//! Routes that make virtual IPs local, so that applications can bind them on every node.

use std::{collections::BTreeSet, net::IpAddr};

use rtnetlink::{
    RouteMessageBuilder,
    packet_route::{
        AddressFamily,
        route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType},
    },
};

use super::netlink::{Netlink, NetlinkError, family, pipelined, unless};

/// The origin that marks routes as this agent's (`ip route show table local proto 112`). The number
/// is VRRP's IP protocol number, which no routing daemon of `rt_protos` uses.
pub const ROUTE_PROTOCOL: u8 = 112;

/// The routing table of local addresses (`RT_TABLE_LOCAL`).
const TABLE_LOCAL: u32 = 255;
/// The routing table that everybody uses (`RT_TABLE_MAIN`).
const TABLE_MAIN: u32 = 254;
/// Every namespace's loopback interface has this index (`LOOPBACK_IFINDEX`,
/// `include/net/net_namespace.h`).
const LOOPBACK: u32 = 1;

impl Netlink {
    /// The addresses that this agent, or one before it, made local.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn local_routes(&self) -> Result<BTreeSet<IpAddr>, NetlinkError> {
        let routes = self.routes_of(ROUTE_PROTOCOL, "list the local routes");
        Ok(routes.await?.iter().filter_map(destination).collect())
    }

    /// The routes that make addresses local and have this origin. `what` says what could not be done.
    pub(super) async fn routes_of(
        &self,
        protocol: u8,
        what: &'static str,
    ) -> Result<Vec<RouteMessage>, NetlinkError> {
        let mut routes = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut filter = RouteMessage::default();
            filter.header.address_family = family;
            filter.header.protocol = RouteProtocol::from(protocol);
            filter.attributes.push(RouteAttribute::Table(TABLE_LOCAL));
            let request = self.handle.route().get(filter);
            let replies = self.list(what, || request.execute()).await?;
            // The kernel may send others where it does not filter.
            let own = replies
                .into_iter()
                .filter(|route| is_local(route, protocol));
            routes.extend(own);
        }
        Ok(routes)
    }

    /// Whether the main table has a route to `destination`, over `via` and `interface` where they are given.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn has_route(
        &self,
        destination: (IpAddr, u8),
        via: Option<IpAddr>,
        interface: Option<u32>,
    ) -> Result<bool, NetlinkError> {
        let routes = self.main_routes(family(destination.0)).await?;
        Ok(routes.iter().any(|route| {
            is_to(route, destination)
                && via.is_none_or(|via| next_hop(route) == Some(via))
                && interface.is_none_or(|index| output(route) == Some(index))
        }))
    }

    /// The IPv4 gateways of the main table, each with the index of the interface on whose network it is.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn gateways(&self) -> Result<Vec<(u32, IpAddr)>, NetlinkError> {
        let routes = self.main_routes(AddressFamily::Inet).await?;
        let gateways = routes
            .iter()
            .map(|route| Some((output(route)?, next_hop(route)?)));
        Ok(gateways.flatten().collect())
    }

    async fn main_routes(&self, family: AddressFamily) -> Result<Vec<RouteMessage>, NetlinkError> {
        let mut filter = RouteMessage::default();
        filter.header.address_family = family;
        filter.attributes.push(RouteAttribute::Table(TABLE_MAIN));
        let request = self.handle.route().get(filter);
        let replies = self.list("list the routes", || request.execute()).await?;
        // The kernel may send others where it does not filter.
        let main = replies.into_iter().filter(is_main);
        Ok(main.collect())
    }

    /// Makes `addresses` local. Those that are already stay as they are.
    ///
    /// # Errors
    /// [`NetlinkError`] names the first address that the kernel refused.
    pub async fn add_local_routes(
        &self,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<(), NetlinkError> {
        pipelined(addresses, |address| async move {
            let added = self
                .handle
                .route()
                .add(local_route(address, ROUTE_PROTOCOL))
                .execute()
                .await;
            unless(&[libc::EEXIST], added).map_err(|error| {
                NetlinkError::new(format!("add the local route {address}"), &error)
            })
        })
        .await
    }

    /// Takes back [`Netlink::add_local_routes`]. Addresses without a route of ours are passed over.
    ///
    /// # Errors
    /// [`NetlinkError`] names the first address that the kernel refused.
    pub async fn del_local_routes(
        &self,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<(), NetlinkError> {
        pipelined(addresses, |address| async move {
            let removed = self
                .handle
                .route()
                .del(local_route(address, ROUTE_PROTOCOL))
                .execute()
                .await;
            unless(&[libc::ESRCH], removed).map_err(|error| {
                NetlinkError::new(format!("remove the local route {address}"), &error)
            })
        })
        .await
    }
}

/// The route of this origin that makes an address local.
pub(super) fn local_route(address: IpAddr, protocol: u8) -> RouteMessage {
    match address {
        IpAddr::V4(v4) => RouteMessageBuilder::<std::net::Ipv4Addr>::new()
            .destination_prefix(v4, 32)
            .table_id(TABLE_LOCAL)
            .kind(RouteType::Local)
            .scope(RouteScope::Host)
            .protocol(RouteProtocol::from(protocol))
            .output_interface(LOOPBACK)
            .build(),
        IpAddr::V6(v6) => RouteMessageBuilder::<std::net::Ipv6Addr>::new()
            .destination_prefix(v6, 128)
            .table_id(TABLE_LOCAL)
            .kind(RouteType::Local)
            .protocol(RouteProtocol::from(protocol))
            .output_interface(LOOPBACK)
            .build(),
    }
}

fn is_local(route: &RouteMessage, protocol: u8) -> bool {
    route.header.protocol == RouteProtocol::from(protocol) && route.header.kind == RouteType::Local
}

pub(super) fn destination(message: &RouteMessage) -> Option<IpAddr> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
            RouteAttribute::Destination(RouteAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
            _ => None,
        })
}

fn is_main(route: &RouteMessage) -> bool {
    let table = RouteAttribute::Table(TABLE_MAIN);
    route.attributes.contains(&table)
}

/// The default route names no destination.
fn is_to(route: &RouteMessage, (address, len): (IpAddr, u8)) -> bool {
    let named = destination(route);
    route.header.destination_prefix_length == len
        && named.map_or_else(|| len == 0, |named| named == address)
}

fn next_hop(route: &RouteMessage) -> Option<IpAddr> {
    route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(v4)) => Some((*v4).into()),
            RouteAttribute::Gateway(RouteAddress::Inet6(v6)) => Some((*v6).into()),
            _ => None,
        })
}

fn output(route: &RouteMessage) -> Option<u32> {
    route
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        })
}
