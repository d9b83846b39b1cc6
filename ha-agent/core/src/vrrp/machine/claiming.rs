//! Claiming: advertises like an Active node and answers nobody, until the others have let go.

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Hold, Machine, State, hand_over::LOWEST, rank::Rank};
use crate::{
    election::{Cause, Command, Role},
    time::Time,
};

/// For how many Active_Down_Intervals a node does not preempt after a claim that was not heard. A
/// claim moves the virtual MAC at the switches back and forth, so it must not be made all the time.
pub(super) const PAUSE_AFTER_DEAF: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// When it began.
    since: Time,
    /// Why.
    pub(super) cause: Cause,
    /// Adver_Timer.
    pub(super) next_advert: Time,
    /// When it is made good if no other advertiser is left.
    pub(super) end: Time,
    /// When another advertiser was last heard; before the claim counts as at its beginning.
    pub(super) contested: Option<Time>,
    /// The owner has let go, to this node alone.
    acknowledged: bool,
    /// The owner has let go, to everybody.
    released: bool,
    /// Living advertisers were asked whether they have let go.
    pub(super) is_asking: bool,
    /// Until when the owner, who has asked, is left to finish what it has begun.
    pub(super) settles: Option<Time>,
}

impl Claim {
    pub(super) const fn new(now: Time, end: Time, cause: Cause) -> Self {
        Self {
            since: now,
            cause,
            next_advert: now,
            end,
            contested: None,
            acknowledged: false,
            released: false,
            is_asking: false,
            settles: None,
        }
    }
}

impl Machine {
    /// Becomes Active, after a claim until `end` if that has not come yet.
    pub(super) fn take_over(&mut self, now: Time, end: Time, cause: Cause) -> Vec<Command> {
        if end <= now {
            return self.become_active(now, cause);
        }
        self.claim(now, end, cause)
    }

    /// Starts to claim; `end` is when it becomes Active if nobody contradicts.
    pub(super) fn claim(&mut self, now: Time, end: Time, cause: Cause) -> Vec<Command> {
        self.alive.doubt();
        self.state = State::Claiming(Claim {
            next_advert: now + self.config.advert_interval.duration(),
            contested: (!self.peers.is_empty()).then_some(now),
            ..Claim::new(now, end, cause)
        });
        let set_role = Command::SetRole {
            role: Role::Claiming,
            active: self.peers.best().map(|peer| peer.address),
            cause,
        };
        vec![set_role, self.advertise()]
    }

    pub(super) fn claim_deadline(&self, claim: &Claim) -> Time {
        let due = claim.next_advert.min(self.claim_end(claim));
        claim.settles.unwrap_or(due)
    }

    /// When the claim is made good: while another advertiser is left, not before all have been
    /// silent for `yield_grace`.
    fn claim_end(&self, claim: &Claim) -> Time {
        match claim.contested {
            Some(heard) if !self.peers.is_empty() => claim.end.max(heard + self.config.yield_grace),
            Some(_) | None => claim.end,
        }
    }

    pub(super) fn claiming_timer(&mut self, mut claim: Claim, now: Time) -> Vec<Command> {
        if claim.settles.is_some() {
            return self.claim_aloud(&claim, now);
        }
        if self.claim_end(&claim) <= now {
            let unyielding = self.alive.doubtful();
            if !unyielding.is_empty() {
                return self.ask_to_yield(claim, now, unyielding);
            }
            if self.config.needs_witness && !claim.released && claim.contested.is_some() {
                // It did not say that it let go, and may be behind a cut link.
                return self.step_back(now, now, Cause::YieldTimeout);
            }
            let cause = match (claim.released, claim.contested) {
                (true, _) => Cause::ActiveReleased,
                (false, Some(_)) => Cause::YieldTimeout,
                (false, None) => claim.cause,
            };
            return self.become_active(now, cause);
        }
        claim.next_advert = now + self.config.advert_interval.duration();
        self.state = State::Claiming(claim);
        vec![self.advertise()]
    }

    pub(super) fn claiming_advert(
        &mut self,
        mut claim: Claim,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        if claim.settles.is_some() {
            return self.settling_advert(claim, now, heard);
        }
        // The owner asks once more for what this node is about to do; it has not let go.
        if heard.direct && heard.advert.priority == LOWEST {
            return Vec::new();
        }
        if heard.direct || heard.advert.priority == PRIORITY_RELEASE {
            return self.claiming_release(claim, now, heard);
        }
        self.note(now, heard);
        match self.rank(heard.from, heard.advert.priority) {
            Rank::Better => match self.outbid(&claim, now, heard) {
                Some(commands) => commands,
                None => self.yield_to(now, heard, self.priority),
            },
            Rank::Worse => self.insist(claim, now, heard),
            Rank::Undecided => {
                claim.contested = Some(now);
                self.state = State::Claiming(claim);
                Vec::new()
            }
        }
    }

    /// An advertiser is one no more: the owner let go, or another claimer gave way.
    fn claiming_release(&mut self, mut claim: Claim, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        self.peers.forget(heard.from);
        if heard.advert.priority == PRIORITY_RELEASE {
            self.alive.set_idle(heard.from);
        }
        match (heard.advert.priority, heard.direct) {
            (PRIORITY_RELEASE, true) => claim.acknowledged = true,
            (PRIORITY_RELEASE, false) => {
                // Another claimer may follow it too, so the priorities decide who is first.
                let version = self.config.version;
                let skew = version.skew_time(self.priority, self.config.advert_interval);
                claim.end = claim.end.min(now + skew.max(self.config.contention));
                claim.released = true;
            }
            (_, true | false) => {}
        }
        if claim.acknowledged && self.peers.is_empty() {
            return self.become_active(now, Cause::Yielded);
        }
        self.state = State::Claiming(claim);
        Vec::new()
    }

    /// Tells a worse advertiser again, unless it has been told for long enough.
    fn insist(&mut self, mut claim: Claim, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        let patience = self.own_active_down() + self.config.yield_grace;
        if claim.since + patience <= now {
            self.hold = Hold::Until(now + self.own_active_down() * PAUSE_AFTER_DEAF);
            let cause = Cause::NotYielding {
                peer: heard.from,
                priority: heard.advert.priority,
            };
            return self.step_back(now, now, cause);
        }
        claim.contested = Some(now);
        claim.next_advert = now + self.config.advert_interval.duration();
        self.state = State::Claiming(claim);
        vec![self.advertise()]
    }
}
