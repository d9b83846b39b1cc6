//! What another configuration would mean here: looked at, and nothing changed.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::{Result, bail};
use ha_common::abi::{GROUP_MOVES, MAX_ROUTER_PEERS};
use ha_core::{
    election::{Duty, Election as _, Role},
    plan::{self, Actual, Desired, Routers},
};
use tokio::task;

use super::{
    super::{
        Engine, admission, bfd, bond,
        fitness::checks,
        group::Group,
        guests,
        port::{Ground, Port, Presence},
        reconcile::desired,
        setup,
        tags::{self, Wrong},
        witness::{self, Witness},
    },
    failed,
};
use crate::{
    api::Refused,
    bfd::Prepared as PreparedBfd,
    config::{
        Config, Loaded, Witness as Written,
        difference::{Difference, Fate, Subject, difference},
        track::{self, Check},
    },
    liveness,
    net::Addresses,
};

/// Another configuration, and what follows from it.
#[derive(Debug)]
pub(super) struct Next {
    pub(super) loaded: Loaded,
    pub(super) difference: Difference,
    pub(super) grounds: Vec<Ground>,
    /// What its NICs have to be told.
    pub(super) strips: Vec<Wrong>,
    /// The interfaces that are others than before, although they have their names.
    pub(super) renewed: BTreeSet<String>,
    /// Each with the place of the same check now.
    pub(super) checks: Vec<(Check, Option<usize>)>,
    /// As they would begin.
    pub(super) groups: Vec<Group>,
    pub(super) guests: Vec<guests::Place>,
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
        self.fit(loaded, difference, None)
            .await
            .map_err(|error| failed(&error))
    }

    /// The same for the configuration in force, and the virtual IPs that the groups have at this moment.
    pub(super) async fn look_again(&mut self) -> Result<Next, Refused> {
        let loaded = Loaded {
            config: self.config.clone(),
            sum: self.reloads.sum,
        };
        let kept = |from| Fate::Kept {
            from,
            is_changed: false,
        };
        let difference = Difference {
            groups: (0..self.groups.len()).map(kept).collect(),
            ..Difference::default()
        };
        let vips = self.groups.iter().map(|group| group.vips.clone()).collect();
        self.fit(loaded, difference, Some(vips))
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

    /// `vips` are what the groups have, if that is not what is written.
    async fn fit(
        &mut self,
        loaded: Loaded,
        mut difference: Difference,
        vips: Option<Vec<Vec<Option<IpAddr>>>>,
    ) -> Result<Next> {
        let config = &loaded.config;
        let grounds = self.grounds(config).await?;
        let strips = tags::look(config, &self.netlink).await?;
        let renewed = self.renewed(&grounds);
        let places = self.places(&difference);
        difference.renew(config, &renewed, &places);
        let checks = checks(config);
        let mut groups = setup::groups(config, &grounds, &checks, &places)?;
        for (group, vips) in groups.iter_mut().zip(vips.into_iter().flatten()) {
            group.vips = vips;
        }
        for ((fate, config), group) in difference
            .groups
            .iter()
            .zip(&config.groups)
            .zip(&mut groups)
        {
            if let Fate::Kept { from, .. } = *fate {
                let nic = grounds[group.port].home.mac;
                group.answer_as(&self.groups[from], config, nic)?;
            }
        }
        self.breathe();
        let guests = guests::places(config, &grounds, &self.dataplane.targets()?)?;
        let desired = desired_for(&groups, &grounds, &guests)?;
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
                (
                    check.clone(),
                    same.filter(|_| !is_over(config, &check, &renewed)),
                )
            })
            .collect();
        Ok(Next {
            checks,
            difference,
            grounds,
            strips,
            renewed,
            groups,
            guests,
            desired,
            loaded,
        })
    }

    /// Finds out which MACs the groups that begin can have, and has them begin so.
    pub(super) async fn admit(&mut self, next: &mut Next) -> Result<(), Refused> {
        self.try_to_admit(next)
            .await
            .map_err(|error| failed(&error))
    }

    async fn try_to_admit(&mut self, next: &mut Next) -> Result<()> {
        let (config, fates) = (&next.loaded.config, &next.difference.groups);
        let found = self.find_out_for(config, fates, &next.grounds).await?;
        for ((fate, config), group) in fates.iter().zip(&config.groups).zip(&mut next.groups) {
            match fate {
                Fate::Added | Fate::Renewed { .. } => {
                    let nic = next.grounds[group.port].home.mac;
                    admission::settle(group, config, &found, nic);
                }
                Fate::Kept { .. } => {}
            }
        }
        next.desired = desired_for(&next.groups, &next.grounds, &next.guests)?;
        Ok(())
    }

    /// The interfaces. Of those that there are what is known stays: who advertises from an address goes on to.
    async fn grounds(&self, config: &Config) -> Result<Vec<Ground>> {
        let mut grounds = Vec::new();
        for interface in &config.interfaces {
            let name = &interface.name;
            let known = self.ports.iter().find(|port| port.link.name == *name);
            let found = self.netlink.link(name).await?;
            let ground = match (known, found) {
                (Some(port), None) => Ground {
                    presence: Presence::Gone,
                    ..port.ground()
                },
                (Some(port), Some(found)) if port.is(&found) => {
                    let found = self.netlink.addresses(port.home.index).await?;
                    Ground {
                        addresses: Addresses {
                            v4: port.addresses.v4.or(found.v4),
                            link_local: port.addresses.link_local.or(found.link_local),
                        },
                        ..port.ground()
                    }
                }
                (Some(_) | None, Some(link)) => {
                    bond::check(interface, &link)?;
                    let home = self.netlink.home(&link).await?;
                    Ground {
                        addresses: self.netlink.addresses(home.index).await?,
                        home,
                        link,
                        presence: Presence::New,
                    }
                }
                (None, None) => bail!("{}", setup::missing(name)),
            };
            grounds.push(ground);
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
        let ports = next.grounds.iter().map(|ground| match ground.presence {
            Presence::Known | Presence::Gone => Ok(None),
            Presence::New => Port::open(ground.clone()).map(Some),
        });
        let ports = ports.collect::<Result<_>>()?;
        let mut changes = next.difference.changes.iter();
        let is_other = changes.any(|change| change.subject == Subject::Witness)
            || match &config.witness {
                Some(Written::Ping { interface, .. }) => next.renewed.contains(interface),
                Some(Written::Agent { .. }) | None => false,
            };
        let witness = is_other.then(|| witness::open(config, &next.grounds, self.now()));
        Ok(Opened {
            ports,
            watch: self.prepare_watch(config, &next.grounds)?,
            bfd: self.bfd.prepare(bfd::routers(config, &next.grounds)?)?,
            witness: witness.transpose()?,
        })
    }

    /// The interfaces on which the groups that go on are served.
    fn places(&self, difference: &Difference) -> Vec<Option<String>> {
        let fates = difference.groups.iter().map(|fate| match *fate {
            Fate::Kept { from, .. } => {
                let port = &self.ports[self.groups[from].port];
                Some(port.link.name.clone())
            }
            Fate::Added | Fate::Renewed { .. } => None,
        });
        fates.collect()
    }

    /// The interfaces of which `grounds` has others.
    fn renewed(&self, grounds: &[Ground]) -> BTreeSet<String> {
        let new = grounds.iter().filter(|g| g.presence == Presence::New);
        let names = new.map(|ground| ground.link.name.clone());
        let is_known = |name: &String| self.ports.iter().any(|port| port.link.name == *name);
        names.filter(is_known).collect()
    }
}

impl Next {
    /// The addresses that are to be local. Those of an interface that is not there are not: when it comes back, the
    /// kernel would answer for them before the data path is on it.
    pub(super) fn local(&self) -> BTreeSet<IpAddr> {
        let groups = self.groups.iter();
        let there = groups.filter(|group| self.grounds[group.port].presence != Presence::Gone);
        there.flat_map(Group::own_vips).collect()
    }

    /// The indices of the interfaces on which nothing is yet.
    pub(super) fn new_indices(&self) -> BTreeSet<u32> {
        self.indices(Presence::New)
    }

    /// The indices that interfaces had which are not there.
    pub(super) fn gone_indices(&self) -> BTreeSet<u32> {
        self.indices(Presence::Gone)
    }

    fn indices(&self, presence: Presence) -> BTreeSet<u32> {
        let grounds = self.grounds.iter();
        let such = grounds.filter(|ground| ground.presence == presence);
        such.map(|ground| ground.link.index).collect()
    }
}

/// Whether a check follows a session over one of these interfaces, and so another one than before.
fn is_over(config: &Config, check: &Check, interfaces: &BTreeSet<String>) -> bool {
    match &check.kind {
        track::Kind::Bfd { session } => interfaces.contains(&config.bfd[*session].interface),
        track::Kind::Interface { .. }
        | track::Kind::Script { .. }
        | track::Kind::Process(_)
        | track::Kind::Tcp { .. }
        | track::Kind::Http(_)
        | track::Kind::File { .. }
        | track::Kind::Route(_) => false,
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

fn desired_for(groups: &[Group], grounds: &[Ground], guests: &[guests::Place]) -> Result<Desired> {
    let slot = |group: &Group, vip| guests::slot_of(guests.iter(), group, vip);
    desired(groups, |port| grounds[port].home.mac, slot)
}
