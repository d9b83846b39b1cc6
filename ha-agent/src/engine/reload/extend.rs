//! What is added to the kernel before it is used; taken back if it cannot be.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use anyhow::{Context, Result};
use ha_core::plan::{self, Plan, Write};
use tokio::task;

use super::{
    super::{Engine, group::Group, tags},
    failed,
    look::Next,
};
use crate::{
    api::Refused,
    dataplane::{Admitted, Attach, admitted},
    net::Netlink,
};

/// What was added, or may have been.
#[derive(Debug, Default)]
struct Added {
    writes: Vec<Write>,
    filters: Admitted,
    routes: Vec<IpAddr>,
}

impl Engine {
    /// Adds what the next configuration needs beside what there is. Where its groups are.
    pub(super) async fn extend(&mut self, next: &Next) -> Result<Plan, Refused> {
        tags::turn_off(&next.strips)
            .await
            .map_err(|error| failed(&error))?;
        let interfaces = self
            .attach_new(next)
            .await
            .map_err(|error| failed(&error))?;
        let mut added = Added::default();
        let error = match self.add(next, &mut added).await {
            Ok(plan) => return Ok(plan),
            Err(error) => error,
        };
        self.take_back(added, &interfaces).await;
        Err(failed(&error))
    }

    /// The indices of the interfaces that the data path has come to.
    async fn attach_new(&mut self, next: &Next) -> Result<BTreeSet<u32>> {
        let new = next.new_indices();
        let interfaces = next.loaded.config.interfaces.iter().zip(&next.grounds);
        let interfaces: Vec<_> = interfaces
            .filter(|(_, ground)| new.contains(&ground.link.index))
            .map(|(interface, ground)| Attach {
                link: ground.link.clone(),
                mode: interface.mode,
            })
            .collect();
        if interfaces.is_empty() {
            return Ok(BTreeSet::new());
        }
        let extend = self.dataplane.extender(interfaces.clone());
        let extend = extend.context("the data path is not ready yet")?;
        let extended = self.meanwhile(task::spawn_blocking(extend)).await?;
        self.dataplane.extended(extended, &interfaces)?;
        Ok(interfaces.iter().map(|attach| attach.link.index).collect())
    }

    async fn add(&mut self, next: &Next, added: &mut Added) -> Result<Plan> {
        let actual = self.settled();
        let plan = plan::plan(&next.desired, &actual)?;
        self.breathe();
        let is_new = |write: &&Write| match write {
            Write::SetGroup { slot, .. } => actual.fields(*slot).is_none(),
            Write::PutVip { key, .. } => !actual.vips.contains_key(key),
            Write::ClearGroup { .. } | Write::RemoveVip { .. } => false,
        };
        added.writes = plan.writes.iter().filter(is_new).copied().collect();
        self.write(&added.writes)?;

        // Only then, as the kernel would answer for what is local and not in the maps.
        let mut target = actual.clone();
        for write in &plan.writes {
            target.apply(write);
        }
        self.breathe();
        // An interface that was made anew under the same index has none of them.
        let new = next.new_indices();
        let mut before = admitted(&actual);
        before.retain(|index, _| !new.contains(index));
        added.filters = only(admitted(&target), &before);
        // With an interface its filter went.
        let gone = next.gone_indices();
        added.filters.retain(|index, _| !gone.contains(index));
        let (netlink, filters) = (self.netlink.clone(), added.filters.clone());
        let work = tokio::spawn(async move {
            for (index, macs) in filters {
                netlink.add_filters(index, macs).await?;
            }
            anyhow::Ok(())
        });
        self.meanwhile(work).await??;

        self.breathe();
        let local = self.local();
        added.routes = next.local().difference(&local).copied().collect();
        let (netlink, routes) = (self.netlink.clone(), added.routes.clone());
        let work = tokio::spawn(async move { netlink.add_local_routes(routes).await });
        self.meanwhile(work).await??;
        Ok(plan)
    }

    /// The addresses of all groups that are this host's own, if their interfaces are there.
    pub(in super::super) fn local(&self) -> BTreeSet<IpAddr> {
        let groups = self.groups.iter();
        let there = groups.filter(|group| !self.ports[group.port].is_gone);
        there.flat_map(Group::own_vips).collect()
    }

    /// In the opposite order.
    async fn take_back(&mut self, added: Added, interfaces: &BTreeSet<u32>) {
        let Added {
            writes,
            filters,
            routes,
        } = added;
        let removals: Vec<_> = writes.iter().rev().filter_map(opposite).collect();
        let gone = self.remove(routes, BTreeMap::new()).await;
        let gone = gone.and_then(|()| self.write(&removals));
        let gone = match gone {
            Ok(()) => self.remove(Vec::new(), filters).await,
            error @ Err(_) => error,
        };
        if let Err(error) = gone.and_then(|()| self.dataplane.withdraw(interfaces)) {
            tracing::error!("cannot take back what was added: {error:#}");
        }
    }

    /// Removes routes and filters.
    pub(in super::super) async fn remove(
        &mut self,
        routes: Vec<IpAddr>,
        filters: Admitted,
    ) -> Result<()> {
        let netlink = self.netlink.clone();
        let work = tokio::spawn(async move { remove(&netlink, routes, filters).await });
        self.meanwhile(work).await?
    }
}

async fn remove(netlink: &Netlink, routes: Vec<IpAddr>, filters: Admitted) -> Result<()> {
    netlink.del_local_routes(routes).await?;
    for (index, macs) in filters {
        // With an interface its filter went.
        if netlink.link_at(index).await?.is_some() {
            netlink.del_filters(index, macs).await?;
        }
    }
    Ok(())
}

/// What takes an addition back.
const fn opposite(write: &Write) -> Option<Write> {
    match *write {
        Write::SetGroup { slot, .. } => Some(Write::ClearGroup { slot }),
        Write::PutVip { key, .. } => Some(Write::RemoveVip { key }),
        Write::ClearGroup { .. } | Write::RemoveVip { .. } => None,
    }
}

/// What is in `some` and not in `others`.
pub(super) fn only(some: Admitted, others: &Admitted) -> Admitted {
    some.into_iter()
        .map(|(index, mut macs)| {
            if let Some(others) = others.get(&index) {
                macs.retain(|mac| !others.contains(mac));
            }
            (index, macs)
        })
        .filter(|(_, macs)| !macs.is_empty())
        .collect()
}
