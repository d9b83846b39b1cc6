//! Planned moves: another node is to have a group, or this node nothing.
//!
//! The election does it; here it is found out who can be asked, and the operator is told how it ended. What the node
//! may do is kept in a file beside the control socket, so that a restart does not end it; a reboot does.

use std::{fs, io, path::PathBuf, time::Duration};

use ha_core::{
    election::{Cause, Duty, Election as _, Input, Role},
    time::Time,
};
use tokio::sync::oneshot;

use super::Engine;
use crate::api::{Refused, Response};

type Reply = oneshot::Sender<Result<Response, Refused>>;

/// How much longer than a hand-over a drained node is waited for; it goes on by itself.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);

/// What the operator has begun.
#[derive(Debug, Default)]
pub(super) struct Moves {
    duty: Duty,
    waiting: Vec<Move>,
}

impl Moves {
    /// Whether a group is being handed over.
    pub(super) fn has(&self, group: usize) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|part| part.groups.contains(&group))
    }

    /// The groups have other places now.
    pub(super) fn rename(&mut self, now_at: impl Fn(usize) -> Option<usize>) {
        for part in &mut self.waiting {
            part.groups = part
                .groups
                .iter()
                .filter_map(|group| now_at(*group))
                .collect();
        }
    }
}

/// A move that is under way.
#[derive(Debug)]
struct Move {
    /// The groups that this node hands over, by their places.
    groups: Vec<usize>,
    began: Time,
    /// When the operator is told that it has not come about yet; a switchover ends by itself.
    patience: Option<Time>,
    /// Whom the operator named.
    to: Option<String>,
    reply: Option<Reply>,
}

impl Engine {
    pub(super) const fn duty(&self) -> Duty {
        self.moves.duty
    }

    /// `switchover`: on the Active node hands over; on a Backup it means to take over.
    pub(super) fn switch_over(&mut self, name: &str, to: Option<&str>, wait: bool, reply: Reply) {
        match self.begin_switchover(name, to) {
            Err(refused) => answer(reply, Err(refused)),
            Ok(Begun::Done(response)) => answer(reply, Ok(response)),
            Ok(Begun::Asked(groups)) => {
                let reply = if wait {
                    Some(reply)
                } else {
                    let text =
                        format!("{name}: the heir has been asked, this node serves until then");
                    answer(reply, Ok(Response::Done(text)));
                    None
                };
                let began = self.now();
                self.moves.waiting.push(Move {
                    groups,
                    began,
                    patience: None,
                    to: to.map(str::to_owned),
                    reply,
                });
            }
        }
    }

    fn begin_switchover(&mut self, name: &str, to: Option<&str>) -> Result<Begun, Refused> {
        let index = self.index(name)?;
        let group = &self.groups[index];
        if group.election.vrrp().is_none() {
            return conflict(format!("an outside manager decides about {name}: ask it"));
        }
        let is_own = to.is_some_and(|to| to == self.config.node.name);
        match group.election.role() {
            Role::Active if is_own => {
                let text = format!("{name}: this node is Active already");
                return Ok(Begun::Done(Response::Done(text)));
            }
            Role::Backup | Role::Claiming if is_own || to.is_none() => {
                return self.order(name, &Input::Promote).map(Begun::Done);
            }
            Role::Backup | Role::Claiming => {
                let active = group.active.map(|active| active.to_string());
                return conflict(format!(
                    "{name}: this node is not Active, {} is: run `ha-agent switchover` there, or `ha-agent \
                     promote` on the node that is to have it",
                    active.as_deref().unwrap_or("another one, or none")
                ));
            }
            Role::Active => {}
        }
        let members = self.members(index);
        let mut heirs = Vec::new();
        for member in &members {
            heirs.push(self.find_heir(*member, to)?);
        }
        for (member, heir) in members.iter().zip(heirs) {
            self.name_heir(*member, heir);
            self.input_alone(*member, Input::HandOver { to: heir })
                .granted()?;
        }
        Ok(Begun::Asked(members))
    }

    /// `drain`, `undrain`, `maintenance`.
    pub(super) fn set_duty(&mut self, duty: Duty, wait: bool, reply: Reply) {
        if let Err(error) = keep(&self.duty_file(), duty) {
            let file = self.duty_file();
            let text = format!(
                "cannot write {}: {error}; nothing has changed",
                file.display()
            );
            return answer(reply, Err(Refused::Failed(text)));
        }
        self.moves.duty = duty;
        let text = match duty {
            Duty::Serve => "the node takes part again",
            Duty::Drained => "the node is drained: it serves only what nobody else can",
            Duty::Maintenance => "the node is in maintenance: it serves nothing",
        };
        tracing::info!("{text}");
        self.history.node("duty", text);
        let mut groups = Vec::new();
        for index in 0..self.groups.len() {
            // The heir first: the others hear of the duty, and may claim for it.
            if duty != Duty::Serve && self.serves_by_vrrp(index) {
                self.ask_heir(index);
                groups.push(index);
            }
            let _ = self.input_alone(index, Input::Duty(duty));
        }
        if groups.is_empty() || !wait {
            return answer(reply, Ok(Response::Done(text.to_owned())));
        }
        let began = self.now();
        let wait = groups.iter().map(|group| self.patience(*group)).max();
        self.moves.waiting.push(Move {
            groups,
            began,
            patience: Some(began + wait.unwrap_or_default() + DRAIN_PATIENCE),
            to: None,
            reply: Some(reply),
        });
    }

    /// Goes on where the agent before this one was.
    pub(super) fn restore_duty(&mut self) {
        let file = self.duty_file();
        let duty = match fs::read_to_string(&file) {
            Ok(text) => Duty::from_name(text.trim()).unwrap_or_else(|| {
                tracing::warn!("{} is not understood: the node is drained", file.display());
                Duty::Drained
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                tracing::warn!(
                    "cannot read {}: {error}: the node is drained",
                    file.display()
                );
                Duty::Drained
            }
        };
        if duty == Duty::Serve {
            return;
        }
        tracing::warn!("the node is still {}", duty.name());
        self.history.node("duty", format!("still {}", duty.name()));
        self.moves.duty = duty;
        for index in 0..self.groups.len() {
            let _ = self.input_alone(index, Input::Duty(duty));
        }
    }

    /// Tells the operator of what is over.
    pub(super) fn settle_moves(&mut self) {
        if self.moves.waiting.is_empty() {
            return;
        }
        for mut part in std::mem::take(&mut self.moves.waiting) {
            match self.outcome(&part) {
                None => self.moves.waiting.push(part),
                Some(result) => {
                    let text = match &result {
                        Ok(text) | Err(text) => text,
                    };
                    tracing::info!("{text}");
                    self.history.node("switchover", text.as_str());
                    if let Some(reply) = part.reply.take() {
                        let result = result.map(Response::Done).map_err(Refused::Conflict);
                        answer(reply, result);
                    }
                }
            }
        }
    }

    /// How a move has ended, if it has.
    fn outcome(&mut self, part: &Move) -> Option<Result<String, String>> {
        let serves = |index: &&usize| self.serves_by_vrrp(**index);
        let left: Vec<_> = part.groups.iter().filter(serves).copied().collect();
        let took = self.now().since(part.began);
        if left.is_empty() {
            return Some(self.moved(part, took));
        }
        let asks = |index: &usize| {
            let election = &self.groups[*index].election;
            election
                .vrrp()
                .is_some_and(|vrrp| vrrp.machine.hands_over())
        };
        let is_late = part.patience.is_some_and(|end| end <= self.now());
        if left.iter().any(asks) && !is_late {
            return None;
        }
        for index in &left {
            self.rejoin(*index);
        }
        let names = self.names(&left);
        Some(Err(format!(
            "{names}: nobody took over within {took:.1?}, so this node is still Active"
        )))
    }

    /// Everything has gone to others.
    fn moved(&self, part: &Move, took: Duration) -> Result<String, String> {
        let names = self.names(&part.groups);
        let mut to = Vec::new();
        for index in &part.groups {
            let group = &self.groups[*index];
            match group.changed.map(|change| change.cause) {
                Some(Cause::HandedOver { .. } | Cause::Demoted { .. }) | None => {}
                Some(cause) => return Err(format!("{}: {cause}", group.name)),
            }
            to.extend(group.active);
        }
        to.dedup();
        let mut text = format!("{names}: handed over within {took:.1?}");
        if let Some(named) = &part.to
            && let Some(other) = to.iter().find(|address| !self.is_called(named, **address))
        {
            return Err(format!("{text}, but to {other}, not to {named}"));
        }
        for (place, address) in to.iter().enumerate() {
            let before = if place == 0 { " to " } else { ", " };
            text += &format!("{before}{}", self.called(*address));
        }
        Ok(text)
    }

    fn names(&self, groups: &[usize]) -> String {
        let names = groups.iter().map(|index| self.groups[*index].name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The part of a sync group that did not move follows the part that did.
    fn rejoin(&mut self, index: usize) {
        if self.groups[index].sync.is_none() {
            return;
        }
        let members = self.members(index);
        let has_left = |member: &usize| self.groups[*member].election.role() == Role::Backup;
        if members.iter().any(has_left) {
            self.input(index, Input::Leave);
        }
    }

    fn members(&self, index: usize) -> Vec<usize> {
        match self.groups[index].sync {
            None => vec![index],
            Some(sync) => self.config.syncs[sync].groups.clone(),
        }
    }

    pub(super) fn serves_by_vrrp(&self, index: usize) -> bool {
        let election = &self.groups[index].election;
        election.vrrp().is_some() && election.role() == Role::Active
    }

    /// How long an heir may take, at most.
    fn patience(&self, index: usize) -> Duration {
        let vrrp = self.groups[index].election.vrrp();
        vrrp.map_or(Duration::ZERO, |vrrp| vrrp.machine.patience())
    }

    fn duty_file(&self) -> PathBuf {
        self.config.control.socket.with_extension("duty")
    }
}

/// What came of the request at once.
enum Begun {
    Done(Response),
    Asked(Vec<usize>),
}

/// Keeps the duty over a restart. What is there is whole at every moment.
fn keep(file: &PathBuf, duty: Duty) -> io::Result<()> {
    if duty == Duty::Serve {
        return match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    let new = file.with_extension("duty-new");
    fs::write(&new, format!("{}\n", duty.name()))?;
    fs::rename(&new, file)
}

pub(super) fn conflict<T>(text: String) -> Result<T, Refused> {
    Err(Refused::Conflict(text))
}

/// A client that has gone does not want to know.
fn answer(reply: Reply, result: Result<Response, Refused>) {
    let _ = reply.send(result);
}

#[cfg(test)]
mod tests {
    use super::{Duty, fs, keep};

    #[test]
    fn what_is_kept_is_read_again() {
        let directory = std::env::temp_dir().join(format!("ha-duty-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("control.duty");
        keep(&file, Duty::Serve).unwrap();
        for duty in [Duty::Drained, Duty::Maintenance] {
            keep(&file, duty).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            assert_eq!(Duty::from_name(text.trim()), Some(duty));
        }
        keep(&file, Duty::Serve).unwrap();
        assert!(!file.exists());
        fs::remove_dir_all(&directory).unwrap();
        assert!(keep(&file, Duty::Drained).is_err());
    }
}
