//! The MAC of a peer's NIC, from the kernel's neighbour table.
//!
//! A peer's advertisements come from the virtual MAC, so they do not tell it.

use std::net::IpAddr;

use ha_common::abi::Mac;
use rtnetlink::packet_route::{
    AddressFamily,
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
    },
};

use super::{
    filter::mac,
    netlink::{Netlink, NetlinkError},
};

impl Netlink {
    /// The MAC of `address` on the interface `index`, if the kernel knows it now.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn neighbour(
        &self,
        index: u32,
        address: IpAddr,
    ) -> Result<Option<Mac>, NetlinkError> {
        let mut request = self
            .handle
            .neighbours()
            .get()
            .set_address_family(match address {
                IpAddr::V4(_) => AddressFamily::Inet,
                IpAddr::V6(_) => AddressFamily::Inet6,
            });
        request
            .message_mut()
            .attributes
            .push(NeighbourAttribute::IfIndex(index));
        let action = format!("look up the MAC of {address}");
        let entries = self.list(action, || request.execute()).await?;
        Ok(entries
            .iter()
            .filter(|entry| entry.header.ifindex == index && is_resolved(entry.header.state))
            .find(|entry| is_about(entry, address))
            .and_then(mac))
    }

    /// Makes the kernel ask for the MAC of `address`, or ask again if what it knows is old
    /// (`NTF_USE`: as if a packet had been sent there). The answer is in [`Netlink::neighbour`] later.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel refuses.
    pub async fn probe_neighbour(&self, index: u32, address: IpAddr) -> Result<(), NetlinkError> {
        self.handle
            .neighbours()
            .add(index, address)
            .state(NeighbourState::None)
            .flags(NeighbourFlags::Use)
            .replace()
            .execute()
            .await
            .map_err(|error| NetlinkError::new(format!("ask for the MAC of {address}"), &error))
    }
}

fn is_resolved(state: NeighbourState) -> bool {
    matches!(
        state,
        NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
            | NeighbourState::Noarp
    )
}

fn is_about(entry: &NeighbourMessage, address: IpAddr) -> bool {
    entry
        .attributes
        .iter()
        .any(|attribute| match (attribute, address) {
            (NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)), IpAddr::V4(own)) => {
                *v4 == own
            }
            (NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)), IpAddr::V6(own)) => {
                *v6 == own
            }
            _ => false,
        })
}
