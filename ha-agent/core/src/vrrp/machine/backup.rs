//! Backup: listens, and takes over when the Active node is silent or lets go (RFC 9568 section 6.4.2).

use core::net::IpAddr;

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Machine, State};
use crate::{
    election::{Cause, Command},
    time::Time,
    vrrp::{
        config::VrrpConfig,
        peers::Peer,
        timers::{self, Centiseconds},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backup {
    /// Active_Down_Timer.
    pub(super) down: Time,
    /// Active_Adver_Interval.
    interval: Centiseconds,
    /// The timer runs because the Active node let go.
    released: bool,
}

impl Backup {
    pub(super) const fn new(down: Time, config: &VrrpConfig) -> Self {
        Self {
            down,
            interval: config.advert_interval,
            released: false,
        }
    }

    /// Sets interval and timer by what the Active node said last.
    pub(super) const fn follow(&mut self, active: Peer) {
        self.interval = active.interval;
        self.down = active.expires;
        self.released = false;
    }
}

impl Machine {
    pub(super) fn backup_timer(&mut self, mut backup: Backup, now: Time) -> Vec<Command> {
        let Some(best) = self.peers.best() else {
            let cause = match (backup.released, self.peers.last_heard()) {
                (true, _) => Cause::ActiveReleased,
                (false, Some(heard)) => Cause::ActiveSilent {
                    silence: now.since(heard),
                },
                (false, None) => Cause::NobodyActive,
            };
            return self.become_active(now, cause);
        };
        // Somebody is alive, and the timer ran out only because its advertisements don't count
        // (lower priority) or because another one let go.
        if best.priority < self.priority && self.preempts(now) {
            return self.claim(now, now + self.config.yield_grace, Cause::Preempting);
        }
        backup.follow(best);
        self.state = State::Backup(backup);
        Vec::new()
    }

    pub(super) fn backup_advert(
        &mut self,
        mut backup: Backup,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        let active = self.active_address();
        if heard.advert.priority == PRIORITY_RELEASE {
            self.peers.forget(heard.from);
            // One that came to this node alone acknowledges a claim that is no longer made.
            if !heard.direct {
                backup.down = now + timers::skew_time(self.priority, backup.interval);
                backup.released = true;
            }
        } else {
            let peer = self.note(now, heard);
            if peer.priority >= self.priority || !self.preempts(now) {
                backup.follow(peer);
            }
        }
        self.state = State::Backup(backup);
        if self.active_address() == active {
            return Vec::new();
        }
        vec![self.backup_role(Cause::ActiveChanged)]
    }

    fn active_address(&self) -> Option<IpAddr> {
        self.peers.best().map(|peer| peer.address)
    }
}
