//! What another configuration would mean here: looked at, and nothing changed.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::Result;
use ha_common::abi::{GROUP_MOVES, MAX_ROUTER_PEERS};
use ha_core::{
    election::{Duty, Election as _, Role},
    plan::{self, Actual, Desired, Routers},
};
use tokio::task;

use super::{
    super::{
        Engine, bfd,
        fitness::checks,
        group::Group,
        port::{Ground, Port},
        reconcile::desired,
        setup,
        witness::{self, Witness},
    },
    failed,
};
use crate::{
    api::Refused,
    bfd::Prepared as PreparedBfd,
    config::{
        Config, Loaded,
        difference::{Difference, Fate, Subject, difference},
        track::{self, Check},
    },
    liveness,
};

/// Another configuration, and what follows from it.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) loaded: Loaded,
    pub(super) difference: Difference,
    pub(super) grounds: Vec<Ground>,
    /// Each with the place of the same check now.
    pub(super) checks: Vec<(Check, Option<usize>)>,
    /// As they would begin.
    pub(super) groups: Vec<Group>,
    pub(super) desired: Desired,
}

/// What it needs of the system.
#[derive(Debug)]
pub(super) struct Opened {
    /// By interface; `None` where there is one.
    pub(super) ports: Vec<Option<Port>>,
    pub(super) watch: liveness::Prepared,
    pub(super) bfd: PreparedBfd,
    /// `None` if the one that there is stays.
    pub(super) witness: Option<Option<Witness>>,
}

impl Engine {
    /// Reads the configuration, compares, and finds out whether it could be in force here.
    pub(super) async fn look(&mut self) -> Result<Next, Refused> {
        let source = self.reloads.source.clone();
        let read = task::spawn_blocking(move || source.read());
        let loaded = self.meanwhile(read).await.map_err(|error| failed(&error))?;
        let loaded = loaded.map_err(|invalid| Refused::WrongFile(invalid.to_string()))?;
        let running: Vec<Vec<IpAddr>> = self.groups.iter().map(Group::addresses).collect();
        let difference = difference(&self.config, &running, &loaded.config);
        if !difference.restart.is_empty() {
            return Err(Refused::Conflict(format!(
                "{}: that is read at a start only, so nothing has changed: restart the agent (`systemctl restart \
                 ha-agent`, which loses nothing; for the mode of an interface stop it and run `ha-agent detach \
                 --all` first), or put it back",
                difference.restart.join(", ")
            )));
        }
        self.refuse_moving(&difference)?;
        self.breathe();
        self.fit(loaded, difference)
            .await
            .map_err(|error| failed(&error))
    }

    /// A group that is about to have another owner is not changed meanwhile.
    fn refuse_moving(&self, difference: &Difference) -> Result<(), Refused> {
        let touched = difference.groups.iter().filter_map(|fate| match fate {
            Fate::Kept {
                from,
                is_changed: true,
            }
            | Fate::Renewed { from } => Some(*from),
            Fate::Added | Fate::Kept { .. } => None,
        });
        for index in touched.chain(difference.removed.iter().copied()) {
            let election = &self.groups[index].election;
            let hands_over = election.vrrp().is_some_and(|v| v.machine.hands_over());
            // A drained node asks for ever.
            let is_asked = hands_over && self.duty() != Duty::Drained;
            if election.role() == Role::Claiming || is_asked || self.moves.has(index) {
                return Err(Refused::Conflict(format!(
                    "the group {} changes hands at this moment, so nothing has changed: try again when \
                     `ha-agent status` shows who has it",
                    self.groups[index].name
                )));
            }
        }
        Ok(())
    }

    async fn fit(&mut self, loaded: Loaded, difference: Difference) -> Result<Next> {
        let config = &loaded.config;
        let grounds = self.grounds(config).await?;
        let checks = checks(config);
        let groups = setup::groups(config, &grounds, &checks)?;
        self.breathe();
        let slot = |group: &Group, vip| self.guests.slot_of(group, vip);
        let desired = desired(&groups, |port| grounds[port].home.mac, slot)?;
        self.breathe();
        let plan = plan::plan(&desired, &self.settled())?;
        self.breathe();
        self.fit_peers(&groups, &plan)?;
        let checks = checks
            .into_iter()
            .map(|check| {
                let mut entries = self.health.entries().iter();
                let same =
                    entries.position(|entry| is_same(&self.config, &entry.check, config, &check));
                (check, same)
            })
            .collect();
        Ok(Next {
            checks,
            difference,
            grounds,
            groups,
            desired,
            loaded,
        })
    }

    /// The interfaces. Of those that there are what is known stays: who advertises from an address goes on to.
    async fn grounds(&self, config: &Config) -> Result<Vec<Ground>> {
        let mut grounds = Vec::new();
        for interface in &config.interfaces {
            let name = &interface.name;
            let known = self.ports.iter().find(|port| port.link.name == *name);
            let link = match known {
                Some(port) => port.link.clone(),
                None => setup::link(interface, &self.netlink).await?,
            };
            let home = match known {
                Some(port) => port.home.clone(),
                None => self.netlink.home(&link).await?,
            };
            let mut addresses = self.netlink.addresses(home.index).await?;
            if let Some(port) = known {
                addresses.v4 = port.addresses.v4.or(addresses.v4);
                addresses.link_local = port.addresses.link_local.or(addresses.link_local);
            }
            grounds.push(Ground {
                link,
                home,
                addresses,
            });
        }
        Ok(grounds)
    }

    /// For a moment there are the VRRP peers of both configurations.
    fn fit_peers(&self, groups: &[Group], plan: &plan::Plan) -> Result<()> {
        let mut routers = Routers::default();
        for group in groups {
            let slot = plan.slots.get(&plan::GroupName::new(&group.name)?);
            if let (Some(vrrp), Some(slot)) = (group.election.vrrp(), slot) {
                routers.add(*slot, group.ifindex, group.vlan, vrrp.machine.config());
            }
        }
        let both = routers.peers.union(&self.virtual_routers().peers).count();
        anyhow::ensure!(
            both <= MAX_ROUTER_PEERS as usize,
            "there is room for {MAX_ROUTER_PEERS} VRRP peers, not for {both}, which are those of before and those \
             that are new: remove some first, then add others"
        );
        Ok(())
    }

    /// What the maps hold, without what is only of this moment.
    pub(super) fn settled(&self) -> Actual {
        let mut actual = self.dataplane.actual();
        for group in &mut actual.groups {
            group.flags &= !GROUP_MOVES;
        }
        actual
    }

    /// Opens what the configuration needs and is not open.
    pub(super) fn open(&self, next: &Next) -> Result<Opened, Refused> {
        self.try_to_open(next).map_err(|error| failed(&error))
    }

    fn try_to_open(&self, next: &Next) -> Result<Opened> {
        let config = &next.loaded.config;
        let is_open = |name: &str| self.ports.iter().any(|port| port.link.name == name);
        let ports = next.grounds.iter().map(|ground| {
            if is_open(&ground.link.name) {
                return Ok(None);
            }
            Port::open(ground.clone()).map(Some)
        });
        let ports = ports.collect::<Result<_>>()?;
        let mut changes = next.difference.changes.iter();
        let is_other = changes.any(|change| change.subject == Subject::Witness);
        let witness = is_other.then(|| witness::open(config, &next.grounds, self.now()));
        Ok(Opened {
            ports,
            watch: self.prepare_watch(config, &next.grounds)?,
            bfd: self.bfd.prepare(bfd::routers(config, &next.grounds)?)?,
            witness: witness.transpose()?,
        })
    }

    /// The interfaces that only `grounds` has.
    pub(super) fn new_interfaces(&self, grounds: &[Ground]) -> BTreeSet<String> {
        let names = grounds.iter().map(|ground| ground.link.name.clone());
        let is_known = |name: &String| self.ports.iter().any(|port| port.link.name == *name);
        names.filter(|name| !is_known(name)).collect()
    }
}

/// Whether a check is the same in both configurations, wherever it is in them.
fn is_same(old_config: &Config, old: &Check, new_config: &Config, new: &Check) -> bool {
    let (track::Kind::Bfd { session: before }, track::Kind::Bfd { session: after }) =
        (&old.kind, &new.kind)
    else {
        return old == new;
    };
    let moved = Check {
        kind: new.kind.clone(),
        ..old.clone()
    };
    moved == *new && old_config.bfd[*before] == new_config.bfd[*after]
}
