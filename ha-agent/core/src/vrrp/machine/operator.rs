//! What the operator wants: to be Active by outbidding who is, or to let go.

use ha_common::wire::vrrp::PRIORITY_OWNER;

use super::{Heard, Hold, Machine, State, claiming::Claim, let_go, rank::Rank};
use crate::{
    election::{Cause, Command, Duty, Refusal},
    time::Time,
    vrrp::peers::Peer,
};

impl Machine {
    pub(super) fn promote(&mut self, now: Time) -> Vec<Command> {
        let backup = match self.state {
            State::Initialize => return refuse(Refusal::NotRunning),
            State::Claiming(_) => return Vec::new(),
            State::Active(_) => return self.keep(now),
            State::Backup(backup) => backup,
        };
        if self.duty == Duty::Maintenance {
            return refuse(Refusal::Maintenance);
        }
        if !self.is_fit {
            return refuse(Refusal::CheckFailed);
        }
        self.expire_peers(now);
        let end = match self.peers.best() {
            Some(best) => {
                let Some(bid) = self.bid_against(best) else {
                    return refuse(Refusal::NotOutranked {
                        peer: best.address,
                        priority: best.priority,
                    });
                };
                self.priority = bid;
                now + self.config.yield_grace
            }
            // Nobody is known, so at the latest when nobody can be silent any more nobody is there.
            None => self
                .silence_ends(&backup)
                .min(now + self.config.yield_grace)
                .max(now + self.config.contention),
        };
        self.hold = Hold::None;
        self.take_over(now, end, Cause::OperatorPromoted)
    }

    /// Lets go, and gives the others at least an Active_Down_Interval to take over.
    pub(super) fn release(&mut self, now: Time) -> Vec<Command> {
        self.hold = Hold::Operator;
        let down = now + self.own_active_down();
        match self.state {
            State::Initialize | State::Backup(_) => Vec::new(),
            State::Claiming(_) => self.step_back(now, down, Cause::OperatorReleased),
            State::Active(_) => {
                let mut commands = self.step_back(now, down, Cause::OperatorReleased);
                commands.push(let_go());
                commands
            }
        }
    }

    /// Answers a better advertiser that was not known when the operator promoted this node.
    pub(super) fn outbid(
        &mut self,
        claim: &Claim,
        now: Time,
        heard: &Heard<'_>,
    ) -> Option<Vec<Command>> {
        if claim.cause != Cause::OperatorPromoted || claim.contested.is_some() {
            return None;
        }
        let best = self
            .peers
            .best()
            .filter(|best| best.address == heard.from)?;
        self.priority = self.bid_against(best)?;
        Some(self.claim(now, now + self.config.yield_grace, claim.cause))
    }

    /// The lowest priority, but not below the own one, that beats `peer`; 255 is the owner's alone.
    fn bid_against(&self, peer: Peer) -> Option<u8> {
        let bid = peer
            .priority
            .saturating_add(1)
            .min(PRIORITY_OWNER - 1)
            .max(self.base);
        let rank = self.rank_against(bid, peer.address, peer.priority);
        (rank == Rank::Worse).then_some(bid)
    }
}

fn refuse(reason: Refusal) -> Vec<Command> {
    vec![Command::Refused { reason }]
}
