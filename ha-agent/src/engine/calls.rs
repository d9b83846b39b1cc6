//! Requests from the control socket.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::Result;
use ha_core::{
    election::{Election as _, Input, Role},
    plan::VipKey,
};

use super::Engine;
use crate::{
    api::{Call, Refused, Request, Response},
    config::range,
};

/// Most addresses in one request, so that the engine is never away for long.
const MAX_VIPS_AT_ONCE: usize = 1024;

impl Engine {
    /// Does what is asked and answers.
    ///
    /// # Errors
    /// If the elections cannot go on after it.
    pub(super) async fn answer(&mut self, call: Call) -> Result<()> {
        let answer = match call.request {
            Request::Status => self.status().await.map(|s| Response::Status(Box::new(s))),
            Request::Promote { group } => self.order(&group, &Input::Promote),
            Request::Release { group } => self.order(&group, &Input::Release),
            Request::Switchover { group, to, wait } => {
                self.switch_over(&group, to.as_deref(), wait, call.reply);
                return Ok(());
            }
            Request::SetDuty { duty, wait } => {
                self.set_duty(duty, wait, call.reply);
                return Ok(());
            }
            Request::Reload { dry_run } => self.reload(dry_run).await?.map(Response::Reloaded),
            Request::AddVips { group, vips } => self.add_vips(&group, &vips).await,
            Request::DelVips { group, vips } => self.del_vips(&group, &vips).await,
        };
        // A client that has gone does not want to know.
        let _ = call.reply.send(answer);
        Ok(())
    }

    pub(super) fn order(&mut self, name: &str, input: &Input) -> Result<Response, Refused> {
        let index = self.index(name)?;
        self.order_all(index, input).granted()?;
        let text = match self.groups[index].election.role() {
            Role::Active => "this node is Active",
            Role::Claiming => "this node takes over as soon as the Active node has let go",
            Role::Backup => "this node is Backup",
        };
        Ok(Response::Done(format!("{name}: {text}")))
    }

    pub(super) fn index(&self, name: &str) -> Result<usize, Refused> {
        let found = self.groups.iter().position(|group| group.name == name);
        found.ok_or_else(|| Refused::NoSuchGroup {
            name: name.to_owned(),
            known: self
                .groups
                .iter()
                .map(|g| g.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    async fn add_vips(&mut self, name: &str, vips: &[IpAddr]) -> Result<Response, Refused> {
        let index = self.index(name)?;
        self.check_new(index, vips)?;
        let group = &mut self.groups[index];
        let first = group.vips.len();
        group.vips.extend(vips.iter().copied().map(Some));
        let slot = group.slot;
        // In the map first: then the kernel never answers for an address that is local here.
        let stored = self.put_vips(index, vips);
        let done = match stored {
            Ok(()) => self.make_local(index, vips).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.groups[index].vips.truncate(first);
            self.forget(index, vips).await;
            return Err(Refused::Failed(format!("{error:#}")));
        }
        match self.groups[index].election.role() {
            Role::Active => {
                let places = first..first + vips.len();
                self.announcer.add(self.now(), slot, places);
            }
            Role::Backup | Role::Claiming => {}
        }
        self.vips_changed();
        let text = format!("added {} virtual IPs", vips.len());
        self.history.group(name, "vips_added", text.as_str());
        Ok(Response::Done(format!(
            "{name}: {text} until the agent stops or reloads"
        )))
    }

    async fn del_vips(&mut self, name: &str, vips: &[IpAddr]) -> Result<Response, Refused> {
        let index = self.index(name)?;
        self.check_old(index, vips)?;
        let group = &mut self.groups[index];
        for place in &mut group.vips {
            if place.is_some_and(|vip| vips.contains(&vip)) {
                *place = None;
            }
        }
        self.forget(index, vips).await;
        self.vips_changed();
        let text = format!("removed {} virtual IPs", vips.len());
        self.history.group(name, "vips_removed", text.as_str());
        Ok(Response::Done(format!(
            "{name}: {text} until the agent stops or reloads"
        )))
    }

    /// Takes addresses that the group has no more from the kernel: the routes first, so that it never
    /// answers for them.
    async fn forget(&mut self, index: usize, vips: &[IpAddr]) {
        let gone = match self.unmake_local(index, vips).await {
            Ok(()) => self.remove_vips(index, vips),
            Err(error) => Err(error),
        };
        if let Err(error) = gone {
            tracing::error!("{error:#}");
        }
    }

    fn check_new(&self, index: usize, vips: &[IpAddr]) -> Result<(), Refused> {
        let group = &self.groups[index];
        if vips.len() > MAX_VIPS_AT_ONCE {
            return invalid(format!("at most {MAX_VIPS_AT_ONCE} addresses at a time"));
        }
        let mut named = BTreeSet::new();
        for vip in vips {
            if let Err(error) = range::parse(&vip.to_string()) {
                return invalid(error.to_string());
            }
            if let Some(owner) = self.dataplane.owner(VipKey::new(*vip, group.vlan)) {
                let other = self.groups.iter().find(|group| group.slot == owner);
                let name = other.map_or("", |group| group.name.as_str());
                return invalid(format!("{vip} belongs to the group {name} already"));
            }
            if !named.insert(*vip) {
                return invalid(format!("{vip} is named twice"));
            }
            let advertises = |primary: ha_core::vrrp::Primary| match vip {
                IpAddr::V4(_) => primary.v4().is_some(),
                IpAddr::V6(_) => primary.v6().is_some(),
            };
            if group
                .election
                .vrrp()
                .is_some_and(|vrrp| !advertises(vrrp.primary()))
            {
                return invalid(format!(
                    "{vip} is of a family in which the group {} does not advertise: add the first \
                     address of a family to the configuration",
                    group.name
                ));
            }
        }
        Ok(())
    }

    fn check_old(&self, index: usize, vips: &[IpAddr]) -> Result<(), Refused> {
        let group = &self.groups[index];
        for vip in vips {
            let key = VipKey::new(*vip, group.vlan);
            if self.dataplane.owner(key) != Some(group.slot) {
                return invalid(format!(
                    "{vip} is no virtual IP of the group {}",
                    group.name
                ));
            }
        }
        let Some(vrrp) = group.election.vrrp() else {
            return Ok(());
        };
        let mut rest = group
            .vips
            .iter()
            .flatten()
            .filter(|vip| !vips.contains(vip));
        let (mut v4, mut link_local) = (false, false);
        rest.by_ref().for_each(|vip| match vip {
            IpAddr::V4(_) => v4 = true,
            IpAddr::V6(v6) => link_local |= v6.is_unicast_link_local(),
        });
        let primary = vrrp.primary();
        if primary.v4().is_some() && !v4 || primary.v6().is_some() && !link_local {
            return invalid(
                "an advertisement needs at least one address of each of its families, and a \
                 link-local one in IPv6: remove the group from the configuration instead"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

fn invalid<T>(text: String) -> Result<T, Refused> {
    Err(Refused::Invalid(text))
}
