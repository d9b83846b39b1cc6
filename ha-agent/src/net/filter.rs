//! What a NIC lets through beside its own MAC: virtual MACs and the groups of solicitations.
//!
//! Real NICs filter before XDP runs. Entries are made as `bridge fdb add MAC dev IF self permanent`
//! makes them: they outlive the agent, as the program and the routes do.

use std::collections::BTreeSet;

use ha_common::abi::Mac;
use rtnetlink::packet_route::{
    AddressFamily,
    neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState},
};

use super::{
    joined::joined,
    netlink::{Netlink, NetlinkError, pipelined, unless},
};

impl Netlink {
    /// The MACs, unicast and multicast, that were added to the filter of the interface `index`, by
    /// whomever.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn filters(&self, index: u32) -> Result<BTreeSet<Mac>, NetlinkError> {
        let mut request = self
            .handle
            .neighbours()
            .get()
            .set_address_family(AddressFamily::Bridge);
        request.message_mut().header.ifindex = index;
        let entries = self
            .list("list the NIC's filter", || request.execute())
            .await?;
        Ok(entries
            .iter()
            .filter(|entry| entry.header.ifindex == index)
            .filter(|entry| entry.header.flags.contains(NeighbourFlags::Own))
            .filter_map(mac)
            .collect())
    }

    /// Lets frames to `macs` through. Those that pass already stay as they are.
    ///
    /// # Errors
    /// [`NetlinkError`] names the first MAC that the driver refused.
    pub async fn add_filters(
        &self,
        index: u32,
        macs: impl IntoIterator<Item = Mac>,
    ) -> Result<(), NetlinkError> {
        pipelined(macs, |mac| async move {
            let added = self
                .handle
                .neighbours()
                .add_bridge(index, &mac.0)
                .flags(NeighbourFlags::Own)
                .execute()
                .await;
            unless(&[libc::EEXIST], added).map_err(|error| {
                NetlinkError::new(format!("add {mac} to the NIC's filter"), &error)
            })
        })
        .await
    }

    /// Takes back [`Netlink::add_filters`]. Missing entries are passed over, and those of groups that
    /// the host itself has joined meanwhile: there is only one entry for both.
    ///
    /// # Errors
    /// [`NetlinkError`] names the first MAC that the driver refused.
    pub async fn del_filters(
        &self,
        index: u32,
        macs: impl IntoIterator<Item = Mac>,
    ) -> Result<(), NetlinkError> {
        let joined = joined(index).map_err(|source| NetlinkError::Refused {
            action: "list the multicast groups that the host has joined".to_owned(),
            source,
        })?;
        let macs = macs.into_iter().filter(|mac| !joined.contains(mac));
        pipelined(macs, |mac| async move {
            let removed = self
                .handle
                .neighbours()
                .del(entry(index, mac))
                .execute()
                .await;
            unless(&[libc::ENOENT], removed).map_err(|error| {
                NetlinkError::new(format!("remove {mac} from the NIC's filter"), &error)
            })
        })
        .await
    }
}

fn entry(index: u32, mac: Mac) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = AddressFamily::Bridge;
    message.header.ifindex = index;
    message.header.state = NeighbourState::Permanent;
    message.header.flags = NeighbourFlags::Own;
    message
        .attributes
        .push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
    message
}

pub(super) fn mac(message: &NeighbourMessage) -> Option<Mac> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(octets) => {
                octets.as_slice().try_into().ok().map(Mac)
            }
            _ => None,
        })
}
