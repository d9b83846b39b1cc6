//! Backup: listens, and takes over when the Active node is silent or lets go (RFC 9568 section 6.4.2).

use core::{net::IpAddr, time::Duration};

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Machine, State, witness::Witness};
use crate::{
    election::{Cause, Command},
    time::Time,
    vrrp::{config::VrrpConfig, peers::Peer, timers::Centiseconds},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// Active_Down_Timer.
    pub(super) down: Time,
    /// Active_Adver_Interval.
    interval: Centiseconds,
    /// Since when the node is Backup.
    since: Time,
    /// When anybody last advertised.
    heard: Option<Time>,
    /// The timer runs because the Active node let go.
    released: bool,
    /// When `preempt_delay` is over, if it runs.
    preempts_from: Option<Time>,
    /// Only the other members of the sync group keep it from taking over.
    pub(super) is_ready: bool,
    /// Living peers were asked whether they are Active.
    pub(super) is_asking: bool,
    /// Why the Active node is replaced, if not because it is silent or has let go.
    pub(super) replaces: Option<Cause>,
    /// The lost node, to be told before it is replaced.
    pub(super) unheard: Option<IpAddr>,
    /// What is known of the witness.
    pub(super) witness: Witness,
}

impl Backup {
    pub(super) const fn new(now: Time, down: Time, config: &VrrpConfig) -> Self {
        Self {
            down,
            interval: config.advert_interval,
            since: now,
            heard: None,
            released: false,
            preempts_from: None,
            is_ready: false,
            is_asking: false,
            replaces: None,
            unheard: None,
            witness: Witness::NotAsked,
        }
    }

    /// Sets interval and timer by what the Active node said last.
    pub(super) const fn follow(&mut self, active: Peer) {
        self.is_ready = false;
        self.is_asking = false;
        self.replaces = None;
        self.unheard = None;
        self.witness = Witness::NotAsked;
        self.interval = active.interval;
        self.down = active.expires;
        self.heard = Some(active.heard);
        self.released = false;
    }

    pub(super) fn cause(&self, now: Time) -> Cause {
        match (self.replaces, self.released, self.heard) {
            (Some(cause), _, _) => cause,
            (None, true, _) => Cause::ActiveReleased,
            (None, false, Some(heard)) => Cause::ActiveSilent {
                silence: now.since(heard),
            },
            (None, false, None) => Cause::NobodyActive,
        }
    }

    /// Whether the Active node is replaced because its advertisements stopped, and for no other reason.
    const fn is_silent(&self) -> bool {
        self.replaces.is_none() && !self.released
    }

    /// Whether the Active node is known to have been another one. Of two nodes that were started
    /// together neither has heard the other; and what was heard right after stepping back may have
    /// been sent before the other stepped back, too. One that lives and denies is a Backup that may be
    /// about to take over at this moment.
    fn has_known_active(&self, config: &VrrpConfig) -> bool {
        let settled = self.since + config.advert_interval.duration();
        match self.replaces {
            Some(Cause::ActiveDenied) => false,
            Some(_) => true,
            None => self.released || self.heard.is_some_and(|heard| settled <= heard),
        }
    }
}

impl Machine {
    pub(super) fn backup_timer(&mut self, mut backup: Backup, now: Time) -> Vec<Command> {
        if self.is_fit && self.peers.is_best_silent(now) {
            let questions = self.questions(&mut backup, now);
            if !questions.is_empty() {
                self.state = State::Backup(backup);
                return questions;
            }
        }
        if !self.is_next(&mut backup, now) {
            self.state = State::Backup(backup);
            return Vec::new();
        }
        if self.config.is_synced {
            return self.wait_for_members(backup, now);
        }
        self.succeed(&backup, now)
    }

    /// Whether it is this node's turn to be Active; if not, `backup` waits on.
    pub(super) fn is_next(&self, backup: &mut Backup, now: Time) -> bool {
        if !self.is_fit {
            backup.is_ready = false;
            backup.down = now + self.own_active_down();
            return false;
        }
        match self.peers.best() {
            None => true,
            // Somebody is alive, and the timer ran out only because its advertisements don't count
            // (lower priority) or because another one let go.
            Some(best) if best.priority >= self.priority => {
                backup.follow(best);
                false
            }
            Some(best) => !self.tolerates(backup, now, best),
        }
    }

    /// Takes over, from whoever may still be alive.
    pub(super) fn succeed(&mut self, backup: &Backup, now: Time) -> Vec<Command> {
        if self.peers.is_empty() {
            return self.replace_active(backup, now);
        }
        self.claim(now, now + self.config.yield_grace, Cause::Preempting)
    }

    fn replace_active(&mut self, backup: &Backup, now: Time) -> Vec<Command> {
        if let Some(question) = self.ask_witness(*backup, now) {
            return question;
        }
        let cause = backup.cause(now);
        let grace = if !backup.has_known_active(&self.config) {
            self.config.yield_grace
        } else if cause == Cause::ActiveLost {
            self.config.loss_grace
        } else if backup.is_silent() {
            self.config.silent_grace
        } else {
            Duration::ZERO
        };
        let end = now + self.config.contention.max(grace);
        let mut commands = self.take_over(now, end, cause);
        let unheard = backup.unheard.map(|peer| Command::TellUnheard { peer });
        commands.splice(1..1, unheard);
        commands
    }

    pub(super) fn backup_advert(
        &mut self,
        mut backup: Backup,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        if self.is_asked(heard) {
            return self.relieve(now, heard);
        }
        // What comes to this node alone is about a claim that is no longer made.
        if heard.direct {
            return Vec::new();
        }
        let active = self.active_address();
        if heard.advert.priority == PRIORITY_RELEASE {
            self.peers.forget(heard.from);
            backup.down = now + self.release_wait(backup.interval);
            backup.released = true;
            self.note_denial(&mut backup, heard.from);
        } else {
            let peer = self.note(now, heard);
            backup.heard = Some(now);
            if peer.priority >= self.priority {
                backup.preempts_from = None;
                backup.follow(peer);
            } else {
                let _ = self.tolerates(&mut backup, now, peer);
            }
        }
        self.state = State::Backup(backup);
        if self.active_address() == active {
            return Vec::new();
        }
        vec![self.backup_role(Cause::ActiveChanged)]
    }

    /// When a node that hangs, and so does not advertise, has been silenced by its kernel.
    pub(super) fn silence_ends(&self, backup: &Backup) -> Time {
        backup.down + self.config.silent_grace
    }

    /// Follows a live node of lower priority, unless it is to be preempted now; whether it is followed.
    fn tolerates(&self, backup: &mut Backup, now: Time, worse: Peer) -> bool {
        let preempts = self.preempts(now);
        let from = *backup
            .preempts_from
            .get_or_insert(now + self.preempt_delay());
        if preempts && from <= now {
            return false;
        }
        backup.follow(worse);
        if preempts {
            backup.down = backup.down.min(from);
        }
        true
    }

    /// How long a Backup waits for better ones after a release.
    fn release_wait(&self, interval: Centiseconds) -> Duration {
        if self.config.is_pair {
            return Duration::ZERO;
        }
        let version = self.config.version;
        version.skew_time(self.priority, interval)
    }

    fn active_address(&self) -> Option<IpAddr> {
        self.peers.best().map(|peer| peer.address)
    }
}
