//! The kernel's state made the desired one: maps by plan, routes and filters by difference.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::{Result, anyhow};
use ha_common::abi::{Mac, Role, RoleWord};
use ha_core::plan::{self, Desired, DesiredVip, GroupFields, GroupName, VipKey};

use super::{Engine, group::Group};
use crate::net::frame::solicited_node_mac;

impl Engine {
    /// Makes the kernel's state the desired one.
    pub(super) async fn reconcile(&mut self) -> Result<()> {
        self.silence_leftovers();
        let wanted: BTreeSet<IpAddr> = self
            .groups
            .iter()
            .flat_map(|group| group.vips.iter().copied().flatten())
            .collect();
        let found = self.netlink.local_routes().await?;
        // What is not wanted stops being local before it leaves the map, and what is wanted becomes
        // local after it has come into the map: in between the kernel would answer for it.
        self.netlink
            .del_local_routes(found.difference(&wanted).copied())
            .await?;
        self.write_maps()?;
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let vips: Vec<IpAddr> = group.vips.iter().copied().flatten().collect();
            self.make_local(group.ifindex, &vips).await?;
            let macs = [group.mac4, group.mac6];
            let own = self.ports[group.port].mac();
            let virtual_macs = macs.into_iter().filter(|mac| *mac != own);
            self.netlink
                .add_filters(group.ifindex, virtual_macs)
                .await?;
        }
        Ok(())
    }

    /// Writes Backup to every group that another agent left behind in another role.
    fn silence_leftovers(&self) {
        let actual = self.dataplane.actual();
        for (slot, group) in (0..).zip(&actual.groups) {
            if Role::from_u8(group.word.role) != Role::Backup {
                let backup = RoleWord {
                    role: Role::Backup as u8,
                    peer: 0,
                    ..group.word
                };
                self.dataplane.groups.store(slot, backup);
            }
        }
    }

    /// Writes what is not yet in the maps and removes what should not be, and notes the groups' slots.
    pub(super) fn write_maps(&mut self) -> Result<()> {
        let desired = self.desired()?;
        let plan = plan::plan(&desired, &self.dataplane.actual())?;
        self.dataplane.apply(&plan.writes)?;
        for group in &mut self.groups {
            let name = GroupName::new(&group.name)?;
            let slot = plan.slots.get(&name);
            group.slot = *slot.ok_or_else(|| anyhow!("the group {name} got no slot"))?;
        }
        Ok(())
    }

    fn desired(&self) -> Result<Desired> {
        let mut desired = Desired::default();
        for group in &self.groups {
            let name = GroupName::new(&group.name)?;
            desired
                .groups
                .insert(name, group.fields(self.ports[group.port].mac()));
            let keys = group
                .vips
                .iter()
                .flatten()
                .map(|vip| VipKey::new(*vip, group.vlan));
            let vip = DesiredVip {
                group: name,
                deliver: 0,
            };
            desired.vips.extend(keys.map(|key| (key, vip)));
        }
        Ok(desired)
    }

    /// Lets the host have packets for `vips`, and lets solicitations for them through the NIC.
    pub(super) async fn make_local(&self, ifindex: u32, vips: &[IpAddr]) -> Result<()> {
        self.netlink.add_filters(ifindex, solicited(vips)).await?;
        Ok(self.netlink.add_local_routes(vips.iter().copied()).await?)
    }

    /// Takes back [`Engine::make_local`], but for what another address still needs.
    pub(super) async fn unmake_local(&self, ifindex: u32, vips: &[IpAddr]) -> Result<()> {
        let others = || self.groups.iter().filter(|group| group.ifindex == ifindex);
        let kept: Vec<IpAddr> = others()
            .flat_map(|g| g.vips.iter().copied().flatten())
            .collect();
        let local: BTreeSet<IpAddr> = self
            .groups
            .iter()
            .flat_map(|group| group.vips.iter().copied().flatten())
            .collect();
        let gone = vips.iter().copied().filter(|vip| !local.contains(vip));
        self.netlink.del_local_routes(gone).await?;
        let needed = solicited(&kept);
        let macs = solicited(vips)
            .into_iter()
            .filter(|mac| !needed.contains(mac));
        Ok(self.netlink.del_filters(ifindex, macs).await?)
    }
}

/// The Ethernet groups to which solicitations for `vips` are sent.
fn solicited(vips: &[IpAddr]) -> BTreeSet<Mac> {
    let macs = vips.iter().filter_map(|vip| match vip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(solicited_node_mac(*v6)),
    });
    macs.collect()
}

impl Group {
    fn fields(&self, nic: Mac) -> GroupFields {
        GroupFields {
            ifindex: self.ifindex,
            flags: self.flags,
            vrid: self
                .election
                .vrrp()
                .map_or(0, |vrrp| vrrp.machine.config().vrid.get()),
            mac4: self.mac4,
            mac6: self.mac6,
            nic,
        }
    }
}
