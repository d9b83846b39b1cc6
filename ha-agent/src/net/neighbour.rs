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
    netlink::{Netlink, NetlinkError, family, unless},
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
        let action = format!("look up the MAC of {address}");
        let entries = self.neighbours(index, family(address), action).await?;
        Ok(entries
            .iter()
            .filter(|entry| is_resolved(entry.header.state))
            .find(|entry| is_about(entry, address))
            .and_then(mac))
    }

    /// Forgets whom the kernel has asked for in vain on the interface `index`: it asks again as soon as something is to be
    /// sent there, and not only a second after it asked last (`retrans_time_ms`).
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel refuses.
    pub async fn forget_unresolved(&self, index: u32) -> Result<(), NetlinkError> {
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let action = format!("list the neighbours on interface {index}");
            let entries = self.neighbours(index, family, action).await?;
            let unresolved = entries
                .into_iter()
                .filter(|entry| entry.header.state == NeighbourState::Incomplete);
            for entry in unresolved {
                // It may have answered, or been given up, meanwhile.
                let deleted = self.handle.neighbours().del(entry).execute().await;
                unless(&[libc::ENOENT], deleted).map_err(|error| {
                    NetlinkError::new(format!("forget a neighbour on interface {index}"), &error)
                })?;
            }
        }
        Ok(())
    }

    /// What the kernel knows of the neighbours on an interface. `action` says what could not be done.
    async fn neighbours(
        &self,
        index: u32,
        family: AddressFamily,
        action: String,
    ) -> Result<Vec<NeighbourMessage>, NetlinkError> {
        let mut request = self.handle.neighbours().get().set_address_family(family);
        let about = NeighbourAttribute::IfIndex(index);
        request.message_mut().attributes.push(about);
        let entries = self.list(action, || request.execute()).await?;
        // The kernel may send others where it does not filter.
        let here = entries.into_iter();
        Ok(here.filter(|entry| entry.header.ifindex == index).collect())
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
