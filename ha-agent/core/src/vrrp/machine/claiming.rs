//! Claiming: advertises like an Active node and answers nobody, until the others have let go.

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Hold, Machine, State, let_go, rank::Rank};
use crate::{
    election::{Cause, Command, Role},
    time::Time,
    vrrp::timers,
};

/// For how many Active_Down_Intervals a node does not preempt after a claim that was not heard. A
/// claim moves the virtual MAC at the switches back and forth, so it must not be made all the time.
const PAUSE_AFTER_DEAF: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// When it began.
    since: Time,
    /// Why.
    pub(super) cause: Cause,
    /// Adver_Timer.
    next_advert: Time,
    /// When the wait for acknowledgements is over.
    end: Time,
    /// Whether somebody else was heard, before or during the claim.
    pub(super) contested: bool,
    /// What makes the claim good when it ends without acknowledgement.
    released: bool,
}

impl Claim {
    pub(super) fn deadline(&self) -> Time {
        self.next_advert.min(self.end)
    }
}

impl Machine {
    /// Starts to claim; `end` is when it becomes Active if nobody contradicts.
    pub(super) fn claim(&mut self, now: Time, end: Time, cause: Cause) -> Vec<Command> {
        self.state = State::Claiming(Claim {
            since: now,
            cause,
            next_advert: now + self.config.advert_interval.duration(),
            end,
            contested: !self.peers.is_empty(),
            released: false,
        });
        let set_role = Command::SetRole {
            role: Role::Claiming,
            active: self.peers.best().map(|peer| peer.address),
            cause,
        };
        vec![set_role, self.advertise()]
    }

    pub(super) fn claiming_timer(&mut self, mut claim: Claim, now: Time) -> Vec<Command> {
        if claim.end <= now {
            let cause = match (claim.released, claim.contested) {
                (true, _) => Cause::ActiveReleased,
                (false, true) => Cause::YieldTimeout,
                (false, false) => claim.cause,
            };
            return self.become_active(now, cause);
        }
        claim.next_advert = now + self.config.advert_interval.duration();
        self.state = State::Claiming(claim);
        vec![self.advertise()]
    }

    pub(super) fn claiming_advert(
        &mut self,
        claim: Claim,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        if heard.advert.priority == PRIORITY_RELEASE {
            return self.claiming_release(claim, now, heard);
        }
        self.note(now, heard);
        match self.rank(heard.from, heard.advert.priority) {
            Rank::Better => match self.outbid(claim, now, heard) {
                Some(commands) => commands,
                None => self.yield_to(now, heard),
            },
            Rank::Worse => self.insist(claim, now, heard),
            Rank::Undecided => {
                self.state = State::Claiming(Claim {
                    contested: true,
                    end: now + self.config.yield_grace,
                    ..claim
                });
                Vec::new()
            }
        }
    }

    fn claiming_release(&mut self, claim: Claim, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        self.peers.forget(heard.from);
        if !self.peers.is_empty() {
            return Vec::new();
        }
        if heard.direct {
            return self.become_active(now, Cause::Yielded);
        }
        // A release to all: another claimer may follow it too, so the priorities decide who is first.
        let skew = timers::skew_time(self.priority, self.config.advert_interval);
        self.state = State::Claiming(Claim {
            end: claim.end.min(now + skew),
            released: true,
            ..claim
        });
        Vec::new()
    }

    /// Tells a worse advertiser again, unless it has been told for long enough.
    fn insist(&mut self, claim: Claim, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        let patience = self.own_active_down() + self.config.yield_grace;
        if claim.since + patience <= now {
            self.hold = Hold::Until(now + self.own_active_down() * PAUSE_AFTER_DEAF);
            let cause = Cause::NotYielding {
                peer: heard.from,
                priority: heard.advert.priority,
            };
            let mut commands = self.step_back(now, now, cause);
            commands.push(let_go());
            return commands;
        }
        self.state = State::Claiming(Claim {
            contested: true,
            released: false,
            end: now + self.config.yield_grace,
            next_advert: now + self.config.advert_interval.duration(),
            ..claim
        });
        vec![self.advertise()]
    }
}
