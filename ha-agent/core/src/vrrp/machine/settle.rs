//! Before an owner lets go it finishes what it has begun, and hands on to its heir what is new.
//!
//! A handshake has three segments. If the owner changed in between, the new one would reset what the old one has
//! answered. So the heir, asked to take over, delivers what reaches it and says that it is ready, by a priority 0 to the
//! owner alone, and claims only after a while.

use core::net::IpAddr;

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{
    Heard, Machine, State,
    claiming::Claim,
    hand_over::{HandOver, LOWEST},
    rank::Rank,
};
use crate::{
    election::{Cause, Command, Role},
    time::Time,
    vrrp::config::Peers,
};

/// For how many times its own `settle` an owner hands on: the heir's begins and ends a bit later.
const LIMIT: u32 = 2;

impl HandOver {
    /// The end of handing on, if it is going on.
    pub(super) fn stop(self) -> Option<Command> {
        self.settles.map(|_| Command::HandOn { to: None })
    }
}

impl Machine {
    /// Whether what was heard was said to this node and to no other.
    pub(super) fn is_to_this_node(&self, heard: &Heard<'_>) -> bool {
        match &self.config.peers {
            Peers::Multicast => heard.direct,
            Peers::Unicast(_) => self.config.peers.is_answer(PRIORITY_RELEASE),
        }
    }

    /// Whether the one who was asked to take over says that it delivers what reaches it.
    pub(super) fn is_heir_ready(&self, heard: &Heard<'_>) -> bool {
        heard.advert.priority == PRIORITY_RELEASE
            && self.is_to_this_node(heard)
            && self.asked_heir() == Some(heard.from)
            && !self.config.settle.is_zero()
    }

    /// The owner's part. It is for a limited time: the heir may be gone.
    pub(super) fn hand_on(&mut self, now: Time, heir: IpAddr) -> Vec<Command> {
        let State::Active(mut active) = self.state else {
            return Vec::new();
        };
        let Some(hand_over) = &mut active.hand_over else {
            return Vec::new();
        };
        if hand_over.settles.is_some() {
            return Vec::new();
        }
        hand_over.settles = Some(now + self.config.settle * LIMIT);
        self.state = State::Active(active);
        vec![Command::HandOn { to: Some(heir) }]
    }

    /// Serves everything again, if it hands on and `ends` says so.
    pub(super) fn stop_handing_on(&mut self, ends: impl Fn(&HandOver) -> bool) -> Vec<Command> {
        let State::Active(active) = &mut self.state else {
            return Vec::new();
        };
        let Some(hand_over) = active.hand_over.as_mut().filter(|part| ends(part)) else {
            return Vec::new();
        };
        let stopped = hand_over.stop();
        hand_over.settles = None;
        stopped.into_iter().collect()
    }

    /// The heir's part: claims in silence, so that the owner goes on.
    pub(super) fn let_settle(&mut self, now: Time, owner: IpAddr, cause: Cause) -> Vec<Command> {
        let until = now + self.config.settle;
        let mut claim = Claim::new(now, until + self.config.yield_grace, cause);
        claim.settles = Some(until);
        self.state = State::Claiming(claim);
        let set_role = Command::SetRole {
            role: Role::Claiming,
            active: self.peers.best().map(|peer| peer.address),
            cause,
        };
        vec![set_role, ready(owner)]
    }

    /// The owner has had the time to finish.
    pub(super) fn claim_aloud(&mut self, claim: &Claim, now: Time) -> Vec<Command> {
        self.alive.doubt();
        let mut claim = Claim::new(now, now + self.config.yield_grace, claim.cause);
        claim.next_advert = now + self.config.advert_interval.duration();
        claim.contested = (!self.peers.is_empty()).then_some(now);
        self.state = State::Claiming(claim);
        vec![self.advertise()]
    }

    pub(super) fn settling_advert(
        &mut self,
        mut claim: Claim,
        now: Time,
        heard: &Heard<'_>,
    ) -> Vec<Command> {
        match heard.advert.priority {
            // It has not heard that this node is ready. A unicast peer would answer that, too, and so on.
            LOWEST if heard.direct => vec![ready(heard.from)],
            PRIORITY_RELEASE => {
                let mut commands = self.claim_aloud(&claim, now);
                if let State::Claiming(claim) = self.state {
                    commands.extend(self.claiming_advert(claim, now, heard));
                }
                commands
            }
            priority => match self.rank(heard.from, priority) {
                Rank::Better => {
                    claim.settles = None;
                    self.claiming_advert(claim, now, heard)
                }
                Rank::Worse | Rank::Undecided => {
                    self.note(now, heard);
                    Vec::new()
                }
            },
        }
    }
}

const fn ready(owner: IpAddr) -> Command {
    Command::SendAdvert {
        priority: PRIORITY_RELEASE,
        to: Some(owner),
    }
}
