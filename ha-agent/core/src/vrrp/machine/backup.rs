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
    /// What the timer's end means.
    expects: Expected,
}

/// What is known of the Active node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Nothing since this node became Backup.
    Nobody,
    /// It advertised, the last time then.
    Adverts(Time),
    /// It let go.
    Release,
}

impl Backup {
    pub(super) const fn new(down: Time, config: &VrrpConfig) -> Self {
        Self {
            down,
            interval: config.advert_interval,
            expects: Expected::Nobody,
        }
    }

    /// Sets interval and timer by what the Active node said last.
    pub(super) const fn follow(&mut self, active: Peer) {
        self.interval = active.interval;
        self.down = active.expires;
        self.expects = Expected::Adverts(active.heard);
    }
}

impl Machine {
    pub(super) fn backup_timer(&mut self, mut backup: Backup, now: Time) -> Vec<Command> {
        let Some(best) = self.peers.best() else {
            return self.replace_silent(&backup, now);
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

    fn replace_silent(&mut self, backup: &Backup, now: Time) -> Vec<Command> {
        let contention = self.config.contention;
        let (cause, contention) = match backup.expects {
            Expected::Release => (Cause::ActiveReleased, contention),
            Expected::Adverts(last) => {
                let silence = now.since(last);
                (Cause::ActiveSilent { silence }, contention)
            }
            // Another node may have started at the same time and know as little.
            Expected::Nobody => (Cause::NobodyActive, contention.max(self.config.yield_grace)),
        };
        self.take_over(now, now + contention, cause)
    }

    pub(super) fn backup_advert(
        &mut self,
        mut backup: Backup,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        // What comes to this node alone is about a claim that is no longer made.
        if heard.direct {
            return Vec::new();
        }
        let active = self.active_address();
        if heard.advert.priority == PRIORITY_RELEASE {
            self.peers.forget(heard.from);
            backup.down = now + timers::skew_time(self.priority, backup.interval);
            backup.expects = Expected::Release;
        } else {
            let peer = self.note(now, heard);
            backup.expects = Expected::Adverts(now);
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
