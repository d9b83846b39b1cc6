//! From an election's commands to acts.

use ha_core::{
    election::{Cause, Command, Election as _, Input, Role},
    word,
};

use super::Engine;
use crate::{
    api::Refused,
    fault::{self, Point},
};

/// What became of an input.
pub(super) enum Outcome {
    /// Everything the election commanded was done.
    Done,
    /// The election refused the operator's request.
    Refused(ha_core::election::Refusal),
    /// The lease was found lapsed, and the node has fallen silent.
    Fenced,
    /// The kernel has taken the role back meanwhile: what needs it was not done.
    Demoted,
}

impl Outcome {
    /// What the operator is told if his wish was not done.
    pub(super) fn granted(self) -> Result<(), Refused> {
        let text = match self {
            Self::Done => return Ok(()),
            Self::Refused(refusal) => refusal.to_string(),
            Self::Demoted => {
                "the kernel took the role back: a node that outranks this one advertises".to_owned()
            }
            Self::Fenced => "the lease had lapsed: the node stands for election again".to_owned(),
        };
        Err(Refused::Conflict(text))
    }
}

impl Engine {
    /// Hands `input` to the election of a group and does what it commands.
    pub(super) fn input_alone(&mut self, index: usize, input: Input) -> Outcome {
        self.give_up_if_demoted(index, &input);
        self.execute(index, input)
    }

    pub(super) fn execute(&mut self, index: usize, input: Input) -> Outcome {
        let now = self.now();
        let is_hand_over = matches!(input, Input::HandOver { .. });
        let commands = self.groups[index].election.handle(now, input);
        // The kernel compares with it as soon as there is a role to take back, and as long as there is.
        if self.groups[index].election.role() != Role::Backup {
            self.publish_priority(index);
        }
        if is_hand_over {
            fault::reached(Point::Lowered);
        }
        for command in commands {
            if needs_lease(&command) && !self.holds_lease() {
                self.fall_silent();
                return Outcome::Fenced;
            }
            if needs_term(&command) && self.demotion(index).is_some() {
                return Outcome::Demoted;
            }
            let point = step(&command, self.groups[index].election.role());
            match command {
                Command::SetRole {
                    role,
                    active,
                    cause,
                } => {
                    self.set_role(index, role, active, cause);
                }
                Command::SendAdvert { priority, to } => self.advertise(index, priority, to),
                Command::HandOn { to } => self.hand_on(index, to),
                Command::Ask { peer } => self.ask(index, peer),
                Command::TellUnheard { peer } => self.tell_unheard(peer),
                Command::AskWitness => self.ask_witness(),
                Command::Announce => {
                    let group = &self.groups[index];
                    self.announcer.start(now, group.slot, group.vips.len());
                }
                Command::StopAnnouncing => self.announcer.stop(self.groups[index].slot),
                Command::Refused { reason } => return Outcome::Refused(reason),
            }
            point.into_iter().for_each(fault::reached);
        }
        self.publish_priority(index);
        Outcome::Done
    }

    fn publish_priority(&self, index: usize) {
        let group = &self.groups[index];
        let priority = group.election.priority();
        self.dataplane.groups.set_priority(group.slot, priority);
    }

    /// Stores the role word: the one write that a failover is.
    fn set_role(
        &mut self,
        index: usize,
        role: Role,
        active: Option<core::net::IpAddr>,
        cause: Cause,
    ) {
        let heir = self.heir(index);
        self.note_moving(index, role, cause);
        let group = &mut self.groups[index];
        let words = &self.dataplane.groups;
        let current = words.word(group.slot);
        // Until another one is heard, stale traffic goes where the agent before this one sent it.
        let active = if cause == Cause::Started {
            active.or_else(|| self.peers.at(group.ifindex, current.peer))
        } else {
            active
        };
        // Who is Active names the heir: if the kernel silences this node, it is known where to send what comes.
        let next_owner = match role {
            Role::Active => heir,
            Role::Backup | Role::Claiming => active,
        };
        let peer = next_owner.map_or(0, |address| self.peers.slot(group.ifindex, address));
        // Without a lease only Backup is ever commanded, and its word is of no lease.
        let lease = self.lease.unwrap_or(current.lease);
        let next = match word::next(current, words.demotion(group.slot), role, peer, lease) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(group = %group.name, "cannot become {}: {error}", role.name());
                return;
            }
        };
        words.store(group.slot, next);
        // Not before: what is new would be taken here in this very moment.
        if role != Role::Active {
            words.set_settles(group.slot, false);
        }
        group.active = active;
        let active = active.map(tracing::field::display);
        let before = Role::from_u8(current.role);
        if before == role && cause == Cause::ActiveChanged {
            tracing::debug!(group = %group.name, active, "{cause}");
            return;
        }
        group.changed = Some(super::group::Change::now(cause));
        let (name, epoch) = (&group.name, next.epoch);
        tracing::info!(group = %name, role = role.name(), epoch, active, "{cause}");
        self.history.role(name, role, cause);
    }
}

/// Whether a command may be carried out only under a valid lease: everything that could make the node
/// an owner or let others take it for one.
fn needs_lease(command: &Command) -> bool {
    match command {
        Command::SetRole {
            role: Role::Backup, ..
        }
        | Command::Ask { .. }
        | Command::AskWitness
        | Command::HandOn { .. }
        | Command::StopAnnouncing
        | Command::Refused { .. } => false,
        Command::SetRole {
            role: Role::Claiming | Role::Active,
            ..
        }
        | Command::SendAdvert { .. }
        | Command::TellUnheard { .. }
        | Command::Announce => true,
    }
}

/// Whether a command may be carried out only while the kernel lets the role stand. A claim begins a term
/// of its own, and Backup is what a demotion asks for.
fn needs_term(command: &Command) -> bool {
    match command {
        Command::SetRole {
            role: Role::Backup | Role::Claiming,
            ..
        }
        | Command::Ask { .. }
        | Command::AskWitness
        | Command::HandOn { .. }
        | Command::TellUnheard { .. }
        | Command::StopAnnouncing
        | Command::Refused { .. } => false,
        Command::SetRole {
            role: Role::Active, ..
        }
        | Command::SendAdvert { .. }
        | Command::Announce => true,
    }
}

/// Which step of a planned move is done with a command, where the election is left in this role.
const fn step(command: &Command, role: Role) -> Option<Point> {
    match command {
        Command::SetRole { role, cause, .. } => match role {
            Role::Claiming => Some(Point::Claiming),
            Role::Active => Some(Point::Active),
            Role::Backup if matches!(cause, Cause::HandedOver { .. }) => Some(Point::LetGo),
            Role::Backup => None,
        },
        Command::SendAdvert {
            priority: 0,
            to: Some(_),
        } => match role {
            Role::Claiming => Some(Point::Ready),
            Role::Backup | Role::Active => Some(Point::Acknowledged),
        },
        // To the heir, or where none is known to all.
        Command::SendAdvert { priority: 1, .. } => Some(Point::Asked),
        Command::SendAdvert { .. } => match role {
            Role::Claiming => Some(Point::Claimed),
            Role::Active => Some(Point::Owner),
            Role::Backup => None,
        },
        Command::HandOn { to: Some(_) } => Some(Point::HandsOn),
        Command::HandOn { to: None }
        | Command::Ask { .. }
        | Command::AskWitness
        | Command::TellUnheard { .. }
        | Command::Announce
        | Command::StopAnnouncing
        | Command::Refused { .. } => None,
    }
}
