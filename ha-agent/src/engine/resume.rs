//! Going on where the agent before this one was killed, or told to make way for this one, within its lease.
//!
//! To everybody else such a restart is an agent that stood still for a moment, and it is as safe: what was
//! killed in the middle of something has left words in the kernel that name a lease, an epoch and a
//! group, and only where all of them still stand is there anything to go on with. Nobody may think that the
//! elections live while they do not. So nothing is renewed for an agent that is still to come: first the
//! groups are advertised, then the lease is renewed, and only while the engine runs. Should the start
//! fail after that, the lease ends as with every other death.

use anyhow::Result;
use ha_common::{
    abi::{Group as Words, Role},
    fence::{Standing, standing},
    lease::{LeaseState, LeaseWord},
};
use ha_core::{
    election::{Election as _, Input},
    plan::{self, GroupName},
};
use tokio::task;

use super::{Engine, group::Group};
use crate::{
    dataplane::Programs,
    fault::{self, Point},
    keeper,
};

impl Engine {
    /// Puts this agent's programs in the place of those that were found. Where the lease has not lapsed, the
    /// elections go on meanwhile: it takes the kernel longer than peers have patience.
    pub(super) async fn succeed(
        &mut self,
        load: impl FnOnce() -> Result<Programs> + Send + 'static,
    ) -> Result<()> {
        let peers = self.dataplane.known_peers()?;
        self.peers.adopt(&peers);
        self.resume()?;
        let loading = task::spawn_blocking(load);
        keeper::raise_priority("the engine");
        let programs = self.meanwhile(loading).await??;
        if self.dataplane.is_crossing() {
            return self.cross(programs);
        }
        self.dataplane.use_programs(programs)
    }

    /// Resumes the elections that stand as Active, and silences everything else.
    fn resume(&mut self) -> Result<()> {
        let actual = self.dataplane.actual();
        let plan = plan::plan(&self.desired()?, &actual)?;
        self.note_slots(&plan)?;
        let lease = self.keeper.lease()?;
        let is_valid = LeaseState::from_u8(lease.state) == LeaseState::Valid;
        self.lease = is_valid.then_some(lease.generation);
        for index in 0..self.groups.len() {
            let words = self.dataplane.groups.group(self.groups[index].slot);
            // It may have been found lapsed meanwhile.
            if self.lease.is_some() && self.stands(index, &words, lease) {
                let priority = words.priority;
                // The members of a sync group do not follow each other before all are here.
                let _ = self.execute(index, Input::Resume { priority });
            }
        }
        self.silence_leftovers();
        fault::reached(Point::Advertised);
        let Some(generation) = self.lease else {
            return Ok(());
        };
        if self.keeper.go_on(generation)? {
            tracing::info!(generation, "goes on under the lease of the agent before");
        } else {
            self.fall_silent();
        }
        fault::reached(Point::Renewed);
        Ok(())
    }

    /// Whether the node is Active for a group that is still what it was.
    fn stands(&self, index: usize, words: &Words, lease: LeaseWord) -> bool {
        let group = &self.groups[index];
        let port = &self.ports[group.port];
        let is_served = self.dataplane.is_attached(group.ifindex) && port.link.xdp.is_some();
        let vlans = self.dataplane.vlans(group.slot);
        is_served
            && standing(words.word, words.demoted, lease) == Standing::Active
            && group.is_same(words)
            && vlans.iter().all(|vlan| *vlan == group.vlan)
    }

    /// Leaves groups and lease to the next agent.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        self.processes.spare_lease();
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let is_active = group.election.role() == Role::Active;
            // Peers' patience begins anew, as the lease does.
            if is_active && self.holds_lease() && self.demotion(index).is_none() {
                self.advertise(index, self.groups[index].election.priority(), None);
            }
        }
        self.history
            .node("handing_over", "the agent makes way for the next one");
        self.keeper.hand_over()
    }
}

impl Group {
    /// Whether the group in the kernel is this one. What else may differ is written anew while it is served.
    fn is_same(&self, words: &Words) -> bool {
        let vrid = self.election.vrrp().map(|vrrp| vrrp.machine.config().vrid);
        let own = (self.ifindex, vrid.map_or(0, u8::from), self.mac4, self.mac6);
        let name = GroupName::new(&self.name);
        own == (words.ifindex, words.vrid, words.mac4, words.mac6)
            && name.is_ok_and(|name| name.is_of(words))
    }
}
