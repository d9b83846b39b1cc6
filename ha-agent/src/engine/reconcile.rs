//! The kernel's state made the desired one: maps by plan, routes and filters by difference.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::{Result, anyhow};
use ha_common::abi::{Mac, Role, RoleWord, Vip};
use ha_core::election::Election as _;
use ha_core::plan::{
    self, Desired, DesiredVip, GroupFields, GroupName, Plan, Routers, VipKey, Write,
};

use super::{Engine, group::Group};
use crate::{
    admission::is_trial,
    dataplane::{Admitted, admitted, everywhere},
    net::frame::solicited_node_mac,
};

impl Engine {
    /// Makes the kernel's state the desired one.
    pub(super) async fn reconcile(&mut self) -> Result<()> {
        self.silence_leftovers();
        let wanted: BTreeSet<IpAddr> = self.groups.iter().flat_map(Group::own_vips).collect();
        let links = self.dataplane.links()?;
        let before = everywhere(&admitted(&self.dataplane.actual()), links);
        let found = self.netlink.local_routes().await?;
        // What is not wanted stops being local before it leaves the map, and what is wanted becomes
        // local after it has come into the map: in between the kernel would answer for it.
        let clients = self.client_routes();
        let found_clients = self.netlink.client_routes().await?;
        self.netlink
            .del_client_routes(found_clients.difference(&clients).copied())
            .await?;
        self.netlink
            .del_local_routes(found.difference(&wanted).copied())
            .await?;
        self.write_maps()?;
        let mut after = admitted(&self.dataplane.actual());
        self.add_others(&mut after);
        self.filter(&before, &after).await?;
        self.netlink
            .add_local_routes(wanted.difference(&found).copied())
            .await?;
        self.netlink
            .add_client_routes(clients.difference(&found_clients).copied())
            .await?;
        // Last, since the program keeps the host silent as long as there are routes for its interface.
        self.dataplane.detach_others()
    }

    /// Has the NICs let through what is in `after`, and no longer what only was in `before`, nor what an agent that was
    /// killed while it tried a MAC has left.
    async fn filter(&self, before: &Admitted, after: &Admitted) -> Result<()> {
        let none = BTreeSet::new();
        let indices: BTreeSet<u32> = before.keys().chain(after.keys()).copied().collect();
        for index in indices {
            // With an interface its filter went.
            if self.netlink.link_at(index).await?.is_none() {
                continue;
            }
            let before = before.get(&index).unwrap_or(&none);
            let after = after.get(&index).unwrap_or(&none);
            let found = self.netlink.filters(index).await?;
            let gone = before.difference(after).filter(|mac| found.contains(mac));
            let left = found.iter().filter(|mac| is_trial(**mac));
            self.netlink
                .del_filters(index, gone.chain(left).copied())
                .await?;
            let missing = after.difference(&found).copied();
            self.netlink.add_filters(index, missing).await?;
        }
        Ok(())
    }

    /// Writes Backup to every group that another agent left behind in another role, but for those that
    /// this one goes on with.
    pub(super) fn silence_leftovers(&self) {
        let actual = self.dataplane.actual();
        let own = self.groups.iter();
        let kept = own.filter(|group| group.election.role() != Role::Backup);
        let kept: BTreeSet<u32> = kept.map(|group| group.slot).collect();
        for (slot, group) in (0..).zip(&actual.groups) {
            if !kept.contains(&slot) && Role::from_u8(group.word.role) != Role::Backup {
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
    fn write_maps(&mut self) -> Result<()> {
        let desired = self.desired()?;
        let plan = plan::plan(&desired, &self.dataplane.actual())?;
        self.write_guests()?;
        self.dataplane.apply(&plan.writes)?;
        self.clear_guests()?;
        self.note_slots(&plan)?;
        self.dataplane.set_routers(&self.virtual_routers())
    }

    /// Takes note of where the groups are.
    pub(super) fn note_slots(&mut self, plan: &Plan) -> Result<()> {
        for group in &mut self.groups {
            let name = GroupName::new(&group.name)?;
            let slot = plan.slots.get(&name);
            group.slot = *slot.ok_or_else(|| anyhow!("the group {name} got no slot"))?;
        }
        Ok(())
    }

    /// The groups as virtual routers.
    pub(super) fn virtual_routers(&self) -> Routers {
        let mut routers = Routers::default();
        for group in &self.groups {
            if let Some(vrrp) = group.election.vrrp() {
                routers.add(group.slot, group.ifindex, group.vlan, vrrp.machine.config());
            }
        }
        routers
    }

    /// Makes `vips` addresses of a group, in the maps.
    pub(super) fn put_vips(&mut self, index: usize, vips: &[IpAddr]) -> Result<()> {
        let group = &self.groups[index];
        let writes: Vec<_> = vips
            .iter()
            .map(|vip| Write::PutVip {
                key: VipKey::new(*vip, group.vlan),
                value: Vip {
                    group: group.slot,
                    deliver: self.guests.slot_of(group, *vip),
                },
            })
            .collect();
        self.dataplane.apply(&writes)
    }

    /// Takes back [`Engine::put_vips`].
    pub(super) fn remove_vips(&mut self, index: usize, vips: &[IpAddr]) -> Result<()> {
        let vlan = self.groups[index].vlan;
        let writes: Vec<_> = vips
            .iter()
            .map(|vip| VipKey::new(*vip, vlan))
            .map(|key| Write::RemoveVip { key })
            .collect();
        self.dataplane.apply(&writes)
    }

    /// Tells the checks which addresses are virtual.
    pub(super) fn vips_changed(&self) {
        let groups = self.groups.iter();
        self.means.vips.set(groups.flat_map(Group::addresses));
    }

    pub(super) fn desired(&self) -> Result<Desired> {
        let slot = |group: &Group, vip| self.guests.slot_of(group, vip);
        desired(&self.groups, |port| self.ports[port].mac(), slot)
    }

    /// Lets the host have packets for those of `vips` that are its own, and lets solicitations for all of them
    /// through the NIC.
    pub(super) async fn make_local(&self, index: usize, vips: &[IpAddr]) -> Result<()> {
        let group = &self.groups[index];
        self.netlink
            .add_filters(group.ifindex, solicited(vips))
            .await?;
        self.admit_on_others().await?;
        let own = vips.iter().copied();
        let own = own.filter(|vip| group.delivery.of(*vip).is_none());
        self.netlink.add_local_routes(own).await?;
        let clients = self.client_routes().into_iter();
        let clients = clients.filter(|route| vips.contains(&route.vip));
        Ok(self.netlink.add_client_routes(clients).await?)
    }

    /// Takes back [`Engine::make_local`], but for what another address still needs.
    pub(super) async fn unmake_local(&self, index: usize, vips: &[IpAddr]) -> Result<()> {
        let local: BTreeSet<IpAddr> = self.groups.iter().flat_map(Group::own_vips).collect();
        let gone = vips.iter().copied().filter(|vip| !local.contains(vip));
        let clients = self.netlink.client_routes().await?.into_iter();
        let clients = clients.filter(|route| vips.contains(&route.vip));
        let clients = clients.filter(|route| !local.contains(&route.vip));
        self.netlink.del_client_routes(clients).await?;
        self.netlink.del_local_routes(gone).await?;
        let there = self.groups[index].ways.iter();
        for way in there.filter(|way| !self.ports[**way].is_gone) {
            let groups = self.groups.iter().filter(|group| group.ways.contains(way));
            let needed = solicited(&groups.flat_map(Group::addresses).collect::<Vec<_>>());
            let macs = solicited(vips)
                .into_iter()
                .filter(|mac| !needed.contains(mac));
            let ifindex = self.ports[*way].link.index;
            self.netlink.del_filters(ifindex, macs).await?;
        }
        Ok(())
    }
}

/// What the maps are to hold for these groups. `nic` is the own MAC of the port at a place.
pub(super) fn desired(
    groups: &[Group],
    nic: impl Fn(usize) -> Mac,
    slot: impl Fn(&Group, IpAddr) -> u32,
) -> Result<Desired> {
    let mut desired = Desired::default();
    for group in groups {
        let name = GroupName::new(&group.name)?;
        desired.groups.insert(name, group.fields(nic(group.port)));
        let vips = group.vips.iter().flatten().map(|vip| {
            let deliver = slot(group, *vip);
            let key = VipKey::new(*vip, group.vlan);
            let group = name;
            (key, DesiredVip { group, deliver })
        });
        desired.vips.extend(vips);
    }
    Ok(desired)
}

/// The Ethernet groups to which solicitations for `vips` are sent.
pub(super) fn solicited(vips: &[IpAddr]) -> BTreeSet<Mac> {
    let macs = vips.iter().filter_map(|vip| match vip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(solicited_node_mac(*v6)),
    });
    macs.collect()
}

impl Group {
    pub(super) fn fields(&self, nic: Mac) -> GroupFields {
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
