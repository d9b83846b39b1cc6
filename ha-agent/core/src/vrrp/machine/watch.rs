//! What liveness changes: a peer that is gone is replaced at once, and one that lives is not replaced only
//! because its advertisements do not arrive.

use core::net::IpAddr;

use super::{Hold, Machine, State, backup::Backup, claiming::Claim};
use crate::{
    election::{Cause, Command},
    time::Time,
    vrrp::alive::Liveness,
};

impl Machine {
    pub(super) fn liveness(&mut self, now: Time, peer: IpAddr, state: Liveness) -> Vec<Command> {
        self.alive.note(peer, state);
        let cause = match state {
            Liveness::Up => return Vec::new(),
            Liveness::Unknown => {
                self.alive.forget(peer);
                return Vec::new();
            }
            Liveness::Lost => Cause::ActiveLost,
            Liveness::Down => Cause::ActiveDown,
        };
        let stopped = self.stop_handing_on(|hand_over| hand_over.is_to(peer));
        let was_followed = self.peers.best().is_some_and(|best| best.address == peer);
        self.peers.forget(peer);
        if !was_followed || !self.peers.is_empty() {
            return stopped;
        }
        match self.state {
            State::Initialize | State::Active(_) => stopped,
            State::Backup(backup) => self.replace_lost(backup, now, (peer, state), cause),
            State::Claiming(_) if self.config.needs_witness && cause == Cause::ActiveLost => {
                let commands = self.step_back(now, now, cause);
                // Its timer asks the witness, and claims again.
                let mut backup = self.fresh_backup(now);
                backup.down = now;
                backup.replaces = Some(cause);
                backup.unheard = Some(peer);
                self.state = State::Backup(backup);
                commands
            }
            State::Claiming(mut claim) => {
                claim.end = claim.end.min(now + self.config.loss_grace);
                claim.cause = cause;
                claim.contested = None;
                // There is nobody left to wait for.
                let aloud = claim.settles.take().map(|_| {
                    claim.next_advert = now + self.config.advert_interval.duration();
                    self.advertise()
                });
                self.state = State::Claiming(claim);
                let unheard = is_unheard(state).then_some(Command::TellUnheard { peer });
                unheard.into_iter().chain(aloud).collect()
            }
        }
    }

    /// The Active node is gone. One that was merely lost may still hear this one, so it is told.
    fn replace_lost(
        &mut self,
        mut backup: Backup,
        now: Time,
        (peer, state): (IpAddr, Liveness),
        cause: Cause,
    ) -> Vec<Command> {
        let may_start = self.startup_ends.is_some_and(|end| end <= now);
        if !self.is_fit || !may_start {
            return vec![self.backup_role(Cause::ActiveChanged)];
        }
        backup.replaces = Some(cause);
        backup.unheard = is_unheard(state).then_some(peer);
        if self.config.is_synced {
            return self.wait_for_members(backup, now);
        }
        self.succeed(&backup, now)
    }

    /// Who should advertise does not. Whether it is so because nobody is Active is to be asked of those that live; the
    /// questions, or nothing if all have answered.
    pub(super) fn questions(&mut self, backup: &mut Backup, now: Time) -> Vec<Command> {
        let begins = !backup.is_asking;
        if begins {
            self.alive.doubt();
        }
        let doubtful = self.alive.doubtful();
        if doubtful.is_empty() {
            return Vec::new();
        }
        let mut commands = Vec::new();
        if let Some(best) = self.peers.best().filter(|_| begins) {
            commands.push(self.backup_role(Cause::AdvertsLost { peer: best.address }));
        }
        backup.is_asking = true;
        backup.down = now + self.config.advert_interval.duration();
        commands.extend(doubtful.into_iter().map(|peer| Command::Ask { peer }));
        commands
    }

    /// A peer has said that it is not Active, asked or not.
    pub(super) fn note_denial(&mut self, backup: &mut Backup, peer: IpAddr) {
        if !backup.is_asking {
            self.alive.doubt();
            backup.is_asking = true;
        }
        self.alive.set_idle(peer);
    }

    pub(super) fn answer(&mut self, now: Time, peer: IpAddr, is_active: bool) -> Vec<Command> {
        match (self.state, is_active) {
            (State::Initialize | State::Active(_), _) | (State::Backup(_), true) => Vec::new(),
            (State::Backup(backup), false) => self.denied(backup, now, peer),
            (State::Claiming(claim), _) => self.claim_answered(claim, now, peer, is_active),
        }
    }

    /// A living peer is not Active. When all have said so, it is as if they were silent.
    fn denied(&mut self, mut backup: Backup, now: Time, peer: IpAddr) -> Vec<Command> {
        if !backup.is_asking {
            return Vec::new();
        }
        self.alive.set_idle(peer);
        if self.peers.knows(peer) {
            self.peers.forget(peer);
            backup.replaces = Some(Cause::ActiveDenied);
        }
        self.state = State::Backup(backup);
        if self.peers.is_best_silent(now) && !self.alive.doubtful().is_empty() {
            return Vec::new();
        }
        self.backup_timer(backup, now)
    }

    /// They have been silent for long enough, or were never heard, but live. What they say decides.
    pub(super) fn ask_to_yield(
        &mut self,
        mut claim: Claim,
        now: Time,
        peers: Vec<IpAddr>,
    ) -> Vec<Command> {
        claim.is_asking = true;
        claim.end = now + self.config.advert_interval.duration();
        claim.next_advert = claim.end;
        claim.contested = None;
        self.state = State::Claiming(claim);
        let questions = peers.into_iter().map(|peer| Command::Ask { peer });
        core::iter::once(self.advertise())
            .chain(questions)
            .collect()
    }

    fn claim_answered(
        &mut self,
        claim: Claim,
        now: Time,
        peer: IpAddr,
        is_active: bool,
    ) -> Vec<Command> {
        if !claim.is_asking {
            return Vec::new();
        }
        if is_active {
            let priority = self.peers.best().map_or(0, |best| best.priority);
            self.hold =
                Hold::Until(now + self.own_active_down() * super::claiming::PAUSE_AFTER_DEAF);
            return self.step_back(now, now, Cause::NotYielding { peer, priority });
        }
        let was_owner = self.peers.knows(peer);
        self.alive.set_idle(peer);
        self.peers.forget(peer);
        if self.peers.is_empty() && self.alive.doubtful().is_empty() {
            let cause = if was_owner {
                Cause::Yielded
            } else {
                claim.cause
            };
            return self.become_active(now, cause);
        }
        Vec::new()
    }
}

/// Whether it may still hear this node, and serve.
const fn is_unheard(state: Liveness) -> bool {
    match state {
        Liveness::Lost => true,
        Liveness::Up | Liveness::Down | Liveness::Unknown => false,
    }
}
