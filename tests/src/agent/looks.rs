//! What the agent says of itself.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, bail};

use super::{
    Agent, Answers, BfdStatus, GROUP, GuestStatus, PATIENCE, StaleSender, Way,
    status::{GroupStatus, Status},
};
use crate::command;

impl Agent {
    /// Whether it says that the group is Active here.
    ///
    /// # Errors
    ///
    /// When it does not answer, as while it is starting or frozen.
    pub fn is_active(&self) -> Result<bool> {
        self.is_active_for(GROUP)
    }

    /// The same of a group of another name.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn is_active_for(&self, name: &str) -> Result<bool> {
        let status = self.status()?;
        match status.groups.iter().find(|group| group.name == name) {
            Some(group) => Ok(group.role == "active" && group.fenced.is_none()),
            None => bail!("the agent does not know the group {name}: {status:?}"),
        }
    }

    /// For how many groups it is Active, and the sum of all groups' epochs, which grows with each change of
    /// owner.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn epochs_by_role(&self) -> Result<(usize, u64)> {
        let status = self.status()?;
        let groups = || status.groups.iter();
        let active = groups().filter(|group| group.role == "active").count();
        Ok((active, groups().map(|group| u64::from(group.epoch)).sum()))
    }

    /// The index of the interface of this name that it works on; `None` while there is no such interface.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn index_of(&self, interface: &str) -> Result<Option<u32>> {
        let interfaces = self.status()?.interfaces.into_iter();
        let mut named = interfaces.filter(|found| found.name == interface && !found.gone);
        Ok(named.next().map(|found| found.index))
    }

    /// The interface on which a group is served.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`], and when it has none of this name.
    pub fn place(&self, group: &str) -> Result<String> {
        Ok(self.group(group)?.interface)
    }

    /// Why a group is not served on its first interface, if it is so.
    ///
    /// # Errors
    ///
    /// As for [`Self::place`].
    pub fn stands_in(&self, group: &str) -> Result<Option<String>> {
        Ok(self.group(group)?.stands_in)
    }

    /// What the ping targets say of a group's interfaces, in order.
    ///
    /// # Errors
    ///
    /// As for [`Self::place`].
    pub fn targets(&self, group: &str) -> Result<Vec<String>> {
        let ways = self.group(group)?.ways.into_iter();
        Ok(ways.filter_map(|way| way.targets).collect())
    }

    fn group(&self, group: &str) -> Result<GroupStatus> {
        let groups = self.status()?.groups.into_iter();
        let mut named = groups.filter(|found| found.name == group);
        let found = named.next();
        found.with_context(|| format!("the agent does not know the group {group}"))
    }

    /// With which MAC a group answers.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`], and when it has none of this name.
    pub fn answers(&self, group: &str) -> Result<Answers> {
        let groups = self.status()?.groups.into_iter();
        let mut named = groups.filter(|found| found.name == group);
        let found = named.next();
        let found = found.with_context(|| format!("the agent does not know the group {group}"))?;
        Ok(Answers {
            mac: found.mac,
            mac4: found.mac4,
            note: found.mac_note,
        })
    }

    /// The session of BFD of this name.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`], and when it has none of this name.
    pub fn bfd(&self, name: &str) -> Result<BfdStatus> {
        let sessions = self.status()?.bfd.into_iter();
        let mut named = sessions.filter(|session| session.name == name);
        named
            .next()
            .with_context(|| format!("the agent has no BFD session {name}"))
    }

    /// How it reaches the guest behind this interface.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`], and when it has no such guest.
    pub fn guest(&self, interface: &str) -> Result<GuestStatus> {
        let guests = self.status()?.guests.into_iter();
        let mut named = guests.filter(|guest| guest.interface == interface);
        named
            .next()
            .with_context(|| format!("the agent has no guest {interface}"))
    }

    /// How many frames its data path has counted under all reasons that deliver to guests, less what was lost
    /// behind it.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn delivered_to_guests(&self) -> Result<u64> {
        let reasons = self.status()?.reasons;
        let of = |name: &str| {
            let mut counted = reasons.iter().filter(|counted| counted.reason == name);
            counted.next().map_or(0, |counted| counted.packets)
        };
        let ways = ["delivered_guest", "delivered_bridge", "delivered_route"];
        let delivered: u64 = ways.into_iter().map(of).sum();
        Ok(delivered - of("guest_lost"))
    }

    /// The priority of its group that is in force.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn priority(&self) -> Result<Option<u8>> {
        let groups = self.status()?.groups;
        Ok(groups.first().and_then(|group| group.priority))
    }

    /// Who has used the node for its only group while another one was Active.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn stale_senders(&self) -> Result<Vec<StaleSender>> {
        let groups = self.status()?.groups.into_iter();
        Ok(groups.flat_map(|group| group.stale_senders).collect())
    }

    /// How many frames its data path has counted under a reason.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn counted(&self, reason: &str) -> Result<u64> {
        let reasons = self.status()?.reasons.into_iter();
        let mut named = reasons.filter(|counted| counted.reason == reason);
        // What never occurred is left out.
        Ok(named.next().map_or(0, |counted| counted.packets))
    }

    /// How often it has begun or ceased to be an owner of its groups; of an agent that is dead or frozen too,
    /// since the kernel has its words.
    ///
    /// # Errors
    ///
    /// When there is not even the kernel's part.
    pub fn role_changes(&self) -> Result<u64> {
        let mut command = Command::new(&self.program);
        command.arg("--socket").arg(&self.socket);
        command.arg("--pin-dir").arg(&self.pins);
        let printed = command::run_within(command.args(["status", "--json"]), PATIENCE)?;
        let groups = Status::read(&printed)?.groups.into_iter();
        Ok(groups.map(|group| u64::from(group.epoch)).sum())
    }

    /// How it finds its peers.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn ways(&self) -> Result<Vec<Way>> {
        Ok(self.status()?.peers)
    }

    /// How often it has taken a peer for lost, or found it back, as far as it remembers.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn liveness_changes(&self) -> Result<usize> {
        let events = self.status()?.events;
        Ok(events
            .iter()
            .filter(|event| event.kind == "liveness")
            .count())
    }

    /// The kinds of the events that it remembers.
    ///
    /// # Errors
    ///
    /// As for [`Self::is_active`].
    pub fn noted(&self) -> Result<BTreeSet<String>> {
        let events = self.status()?.events.into_iter();
        Ok(events.map(|event| event.kind).collect())
    }
}
