//! From one configuration to the other, when everything is there that the other needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    net::IpAddr,
    ops::Range,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use ha_core::{
    election::{Duty, Election as _, Input, Role},
    plan::{self, Plan},
    vrrp::{Liveness, VrrpConfig},
};

use super::{
    super::{
        Engine, bfd,
        liveness::Peers,
        port::{Port, Presence},
        setup,
        witness::Witness,
    },
    extend::only,
    look::{Next, Opened},
    merge::{Merged, merge},
};
use crate::{
    config::{
        Config, Election, Witness as Written,
        difference::{Change, Fate, Subject},
    },
    dataplane::{Admitted, admitted},
    doctor,
};

/// A raised interval is told so many times at the pace of the one before; then a longer lease is safe.
const TOLD: u32 = 5;

/// What a group's election is to be told, by the group's place.
#[derive(Debug)]
enum Turn {
    /// It begins.
    Begin,
    /// It goes on.
    GoOn {
        config: Option<Box<VrrpConfig>>,
        added: Range<usize>,
    },
}

/// What could not be done.
#[derive(Debug, Default)]
struct Problems(Vec<String>);

impl Problems {
    fn note(&mut self, what: &str, result: Result<()>) {
        if let Err(error) = result {
            self.0.push(format!("{what}: {error:#}"));
        }
    }
}

impl Engine {
    /// Goes over to the next configuration, for which everything has been added. What could not be done.
    pub(super) async fn commit(
        &mut self,
        mut next: Next,
        opened: Opened,
        slots: &Plan,
    ) -> Vec<String> {
        let mut problems = Problems::default();
        let before = self.admitted();
        self.breathe();
        self.let_go(&next);
        // Before they leave the maps, or the kernel would answer for them.
        let gone = self.local().difference(&next.local()).copied().collect();
        let removed = self.remove(gone, BTreeMap::new()).await;
        problems.note("local routes of virtual IPs that are gone", removed);

        let rivals = self.rivals();
        let changes = mem::take(&mut next.difference.changes);
        let checks = mem::take(&mut next.checks);
        let desired = mem::take(&mut next.desired);
        let Opened {
            ports,
            watch,
            bfd,
            witness,
        } = opened;
        let left = self.exchange_ports(&next, ports);
        let turns = self.exchange_groups(&mut next, slots);
        let intervals = intervals(&self.config);
        self.config = next.loaded.config;
        self.reloads.sum = next.loaded.sum;
        self.reloads.since = SystemTime::now();
        self.routers = setup::routers(&self.groups);
        self.announcer.set_config(self.config.announce);
        problems.note("the lease", self.change_lease(intervals));

        let guests = self.exchange_guests(mem::take(&mut next.guests)).await;
        problems.note("guests", guests);
        self.breathe();
        let rest = plan::plan(&desired, &self.settled()).map_err(Into::into);
        let written = rest.and_then(|plan| self.write(&plan.writes));
        problems.note("the maps of groups and virtual IPs", written);
        problems.note("guests that are gone", self.clear_guests());
        let routers = self.virtual_routers();
        problems.note("virtual routers", self.dataplane.set_routers(&routers));
        problems.note("liveness", self.set_watch(watch));
        let looped = bfd::routers(&self.config, &next.grounds)
            .and_then(|routers| self.dataplane.loop_echoes(&bfd::looped(&routers)));
        problems.note("BFD echo packets", looped);
        self.means.standings = bfd.standings();
        problems.note("BFD sessions", self.bfd.set(bfd));
        let means = self.means.clone();
        self.vips_changed();
        self.health.set(checks, &means);
        self.set_local_clients();
        let clients = self.exchange_clients().await;
        problems.note("routes of this host's own programs", clients);
        self.exchange_witness(witness);
        self.set_targets();

        self.tell(&turns, &rivals);
        if touches_heirs(&changes) {
            self.heirs_changed();
        }
        self.breathe();
        let after = self.admitted();
        let filters = only(before, &after);
        let removed = self.remove(Vec::new(), filters).await;
        problems.note("filters of the interfaces", removed);
        problems.note("interfaces that are gone", self.leave(&left));
        problems.note(
            "filters of the other interfaces",
            self.admit_on_others().await,
        );
        self.look_out();
        tokio::spawn(doctor::advise(self.config.clone()));
        problems.0
    }

    /// Ends the elections of groups that go, or begin anew. Those that move with them do not follow.
    fn let_go(&mut self, next: &Next) {
        let renewed = next.difference.groups.iter().filter_map(|fate| match fate {
            Fate::Renewed { from } => Some(*from),
            Fate::Added | Fate::Kept { .. } => None,
        });
        let removed = next.difference.removed.iter().copied();
        for index in next.difference.removed.clone() {
            self.note_departure(index);
        }
        for index in renewed.chain(removed).collect::<Vec<_>>() {
            let _ = self.input_alone(index, Input::Stop);
            self.announcer.stop(self.groups[index].slot);
        }
    }

    /// What the NICs must let through.
    fn admitted(&self) -> Admitted {
        let mut admitted = admitted(&self.settled());
        self.add_others(&mut admitted);
        admitted
    }

    /// What elections know of the peers.
    fn rivals(&self) -> BTreeMap<IpAddr, Liveness> {
        let peers = self.liveness.as_ref();
        peers.map_or_else(BTreeMap::new, |peers: &Peers| peers.rivals(&self.config))
    }

    /// The indices of the interfaces that are gone.
    fn exchange_ports(&mut self, next: &Next, opened: Vec<Option<Port>>) -> BTreeSet<u32> {
        let mut old = mem::take(&mut self.ports);
        for (ground, opened) in next.grounds.iter().zip(opened) {
            let name = &ground.link.name;
            let kept = old
                .iter()
                .position(|port| port.link.name == *name && ground.presence != Presence::New);
            let kept = kept.map(|place| old.swap_remove(place));
            if let Some(mut port) = kept.or(opened) {
                port.addresses = ground.addresses;
                self.ports.push(port);
            }
        }
        self.peers.set_ports(&self.ports);
        let stays = |index: &u32| self.ports.iter().any(|port| port.link.index == *index);
        let indices = old.iter().map(|port| port.link.index);
        indices.filter(|index| !stays(index)).collect()
    }

    /// The routes by which this host's own programs reach virtual IPs.
    pub(in super::super) async fn exchange_clients(&mut self) -> Result<()> {
        let (netlink, wanted) = (self.netlink.clone(), self.client_routes());
        let work = tokio::spawn(async move {
            let found = netlink.client_routes().await?;
            let gone = found.difference(&wanted).copied();
            netlink.del_client_routes(gone).await?;
            let missing = wanted.difference(&found).copied();
            anyhow::Ok(netlink.add_client_routes(missing).await?)
        });
        self.meanwhile(work).await?
    }

    fn exchange_groups(&mut self, next: &mut Next, slots: &Plan) -> Vec<Turn> {
        let old = mem::take(&mut self.groups);
        let mut places = vec![None; old.len()];
        let mut old: Vec<_> = old.into_iter().map(Some).collect();
        let mut turns = Vec::new();
        let fresh = mem::take(&mut next.groups);
        for (place, (fate, fresh)) in next.difference.groups.iter().zip(fresh).enumerate() {
            let kept = match *fate {
                Fate::Kept { from, .. } => old[from].take().map(|group| (from, group)),
                Fate::Added | Fate::Renewed { .. } => None,
            };
            let Some((from, group)) = kept else {
                self.groups.push(fresh);
                turns.push(Turn::Begin);
                continue;
            };
            let flags = group.flags;
            let Merged {
                group,
                config,
                added,
            } = merge(group, fresh);
            if group.flags != flags {
                self.dataplane.groups.set_flags(group.slot, group.flags);
            }
            places[from] = Some(place);
            self.groups.push(group);
            let config = config.map(Box::new);
            turns.push(Turn::GoOn { config, added });
        }
        // The plan is of these groups.
        if let Err(error) = self.note_slots(slots) {
            tracing::error!("{error:#}");
        }
        let now_at = |index: usize| places.get(index).copied().flatten();
        self.moving = mem::take(&mut self.moving)
            .into_iter()
            .filter_map(|(index, ends)| Some((now_at(index)?, ends)))
            .collect();
        self.moves.rename(now_at);
        turns
    }

    /// A shorter lease at once, as peers are about to be less patient; a longer one when they have heard of it.
    fn change_lease(&mut self, intervals: Duration) -> Result<()> {
        let wanted = self.config.node.lease;
        self.reloads.longer = None;
        if wanted <= self.keeper.length() {
            return if wanted == self.keeper.length() {
                Ok(())
            } else {
                self.keeper.set_length(wanted)
            };
        }
        self.reloads.longer = Some((self.now() + intervals * TOLD, wanted));
        Ok(())
    }

    fn exchange_witness(&mut self, other: Option<Option<Witness>>) {
        if let Some(other) = other {
            self.witness = other;
        } else if let (Some(witness), Some(Written::Agent { peer })) =
            (&mut self.witness, &self.config.witness)
        {
            witness.is_now_at(*peer);
        }
    }

    /// Tells the elections what has changed for them.
    fn tell(&mut self, turns: &[Turn], before: &BTreeMap<IpAddr, Liveness>) {
        let after = self.rivals();
        for (index, turn) in turns.iter().enumerate() {
            match turn {
                Turn::Begin => {
                    for (peer, state) in &after {
                        self.tell_liveness(index, *peer, *state);
                    }
                }
                Turn::GoOn { config, added } => {
                    if let Some(config) = config {
                        self.input(index, Input::Reconfigure(config.clone()));
                    }
                    // What is not watched any more is known by its advertisements alone.
                    for peer in before.keys().filter(|peer| !after.contains_key(*peer)) {
                        self.tell_liveness(index, *peer, Liveness::Unknown);
                    }
                    for (peer, state) in &after {
                        if before.get(peer) != Some(state) {
                            self.tell_liveness(index, *peer, *state);
                        }
                    }
                    let group = &self.groups[index];
                    if group.election.role() == Role::Active && !added.is_empty() {
                        let slot = group.slot;
                        self.announcer.add(self.now(), slot, added.clone());
                    }
                }
            }
        }
        for (index, turn) in turns.iter().enumerate() {
            self.weigh(index);
            match turn {
                Turn::GoOn { .. } => {}
                Turn::Begin => {
                    self.tell_answers(index);
                    self.begin(index);
                }
            }
        }
    }

    fn tell_liveness(&mut self, index: usize, peer: IpAddr, state: Liveness) {
        self.input(index, Input::Liveness { peer, state });
    }

    fn begin(&mut self, index: usize) {
        if self.duty() != Duty::Serve {
            let _ = self.input_alone(index, Input::Duty(self.duty()));
        }
        // Otherwise it begins with the next lease.
        if self.lease.is_some() {
            self.input(index, Input::Start);
        }
    }

    /// Takes the data path off interfaces that no group is on any more, and forgets who was there.
    fn leave(&mut self, indices: &BTreeSet<u32>) -> Result<()> {
        for slot in self.peers.leave(indices) {
            self.dataplane.forget_peer(slot)?;
        }
        self.dataplane.withdraw(indices)
    }
}

/// Whether it may be another node that would take over.
fn touches_heirs(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change.subject {
        Subject::Peer | Subject::Witness | Subject::Group => true,
        Subject::Node
        | Subject::Announce
        | Subject::Interface
        | Subject::Bfd
        | Subject::Check
        | Subject::Sync => false,
    })
}

/// The longest time between two advertisements of a group.
fn intervals(config: &Config) -> Duration {
    let each = config
        .groups
        .iter()
        .filter_map(|group| match &group.election {
            Election::Manual => None,
            Election::Vrrp(vrrp) => Some(vrrp.advert_interval.duration()),
        });
    each.max().unwrap_or_default()
}
