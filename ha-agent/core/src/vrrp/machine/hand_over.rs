//! Handing over: the Active node serves until the heir that it asks has claimed.

use core::net::IpAddr;

use ha_common::wire::vrrp::{PRIORITY_OWNER, PRIORITY_RELEASE};

use super::{Heard, Hold, Machine, State, active::Active};
use crate::{
    election::{Cause, Command, Duty, Refusal},
    time::Time,
};

/// The lowest priority of a node that takes part: what one advertises that wants to be relieved. To routers of
/// other makes it is a priority like any other, and those that preempt take over by their own rules.
pub(super) const LOWEST: u8 = PRIORITY_RELEASE + 1;

/// For how many Active_Down_Intervals the heir may be waited for. A router of another make that preempts needs
/// one.
const PATIENCE: u32 = 2;

/// Below every bid of an heir, which its kernel compares it with.
const MOST_STANDING: u8 = PRIORITY_OWNER - 2;

/// The Active node wants to be relieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandOver {
    /// Who is asked.
    to: Option<IpAddr>,
    /// When it is given up; `None` if never.
    pub(super) ends: Option<Time>,
    /// What to go back to then.
    before: u8,
    /// Until when new work is handed on to the heir, if it is.
    pub(super) settles: Option<Time>,
    /// What the others are told meanwhile, so that none of them claims, too.
    standing: u8,
}

impl HandOver {
    pub(super) fn is_to(&self, peer: IpAddr) -> bool {
        self.to == Some(peer)
    }

    /// The priority to tell everybody. Once it is the lowest it remains so.
    pub(super) const fn tell(&mut self) -> u8 {
        if self.settles.is_none() {
            self.standing = LOWEST;
        }
        self.standing
    }

    /// The advertisement to the heir alone that asks it to take over, unless it is about to.
    pub(super) fn question(self) -> Option<Command> {
        if self.settles.is_some() {
            return None;
        }
        let priority = LOWEST;
        let ask = |to| Command::SendAdvert {
            priority,
            to: Some(to),
        };
        self.to.map(ask)
    }
}

impl Machine {
    /// Whether this node serves only until the heir has claimed.
    #[must_use]
    pub fn hands_over(&self) -> bool {
        self.handing_over().is_some()
    }

    /// How long an heir is waited for, unless the node is drained.
    #[must_use]
    pub fn patience(&self) -> core::time::Duration {
        self.own_active_down() * PATIENCE + self.config.yield_grace + self.config.settle
    }

    /// Who has been asked to take over.
    #[must_use]
    pub const fn asked_heir(&self) -> Option<IpAddr> {
        match self.handing_over() {
            Some(hand_over) => hand_over.to,
            None => None,
        }
    }

    pub(super) const fn handing_over(&self) -> Option<HandOver> {
        match self.state {
            State::Active(active) => active.hand_over,
            State::Initialize | State::Backup(_) | State::Claiming(_) => None,
        }
    }

    /// Asks the heir. Everybody else hears of it only with the next advertisement, so that the one who is asked
    /// comes first.
    pub(super) fn hand_over(&mut self, now: Time, to: Option<IpAddr>) -> Vec<Command> {
        let mut active = match self.state {
            State::Active(active) => active,
            State::Initialize | State::Backup(_) | State::Claiming(_) => {
                return vec![Command::Refused {
                    reason: Refusal::NotActive,
                }];
            }
        };
        let patience = self.patience();
        let before = active.hand_over;
        let is_same = before.is_some_and(|before| before.to == to);
        let stopped = before.filter(|_| !is_same).and_then(HandOver::stop);
        let hand_over = HandOver {
            to,
            ends: match self.duty {
                Duty::Serve | Duty::Maintenance => Some(now + patience),
                Duty::Drained => None,
            },
            before: before.map_or(self.priority, |before| before.before),
            settles: before.filter(|_| is_same).and_then(|before| before.settles),
            standing: before.map_or(self.priority.min(MOST_STANDING), |before| before.standing),
        };
        self.priority = LOWEST;
        if before.is_none() {
            // Who is asked has a whole interval before the others hear of it.
            active.next_advert = now + self.config.advert_interval.duration();
        }
        active.hand_over = Some(hand_over);
        self.state = State::Active(active);
        let told = match (to, hand_over.question()) {
            (Some(_), question) => question.into_iter().collect(),
            (None, _) => self.active_timer(now),
        };
        stopped.into_iter().chain(told).collect()
    }

    /// Advertises, unless the heir has been waited for long enough.
    pub(super) fn serving_timer(&mut self, active: Active, now: Time) -> Vec<Command> {
        let mut commands = self.stop_handing_on(|hand_over| {
            let is_over = |end| end <= now;
            hand_over.settles.is_some_and(is_over)
        });
        let ends = active.hand_over.and_then(|hand_over| hand_over.ends);
        if ends.is_none_or(|ends| now < ends) {
            if active.next_advert <= now {
                commands.extend(self.active_timer(now));
            }
            return commands;
        }
        commands.extend(if self.duty == Duty::Maintenance {
            self.let_go_for(now, Cause::Maintenance)
        } else {
            self.keep(now)
        });
        commands
    }

    /// Goes back to the priority from before.
    pub(super) fn keep(&mut self, now: Time) -> Vec<Command> {
        let State::Active(mut active) = self.state else {
            return Vec::new();
        };
        let Some(hand_over) = active.hand_over.take() else {
            return Vec::new();
        };
        self.priority = hand_over.before.max(self.base);
        self.state = State::Active(active);
        let stopped = hand_over.stop().into_iter();
        stopped.chain(self.active_timer(now)).collect()
    }

    /// A drained node asks for ever, until it takes part again.
    pub(super) fn ask_for_ever(&mut self) {
        if let State::Active(Active {
            hand_over: Some(hand_over),
            ..
        }) = &mut self.state
        {
            hand_over.ends = None;
        }
    }

    /// The priority that the operator's promotion gave, if it is higher, is found again when nobody takes over.
    pub(super) fn rebase(&mut self, base: u8) {
        if let State::Active(Active {
            hand_over: Some(hand_over),
            ..
        }) = &mut self.state
        {
            let is_promoted = hand_over.before != self.base;
            hand_over.before = if is_promoted {
                hand_over.before.max(base)
            } else {
                base
            };
        }
        self.base = base;
    }

    /// Why this node gives way to a better one; one that handed over does not come back by itself.
    pub(super) fn gives_way(&mut self, heard: &Heard<'_>) -> Cause {
        let peer = heard.from;
        if self.hands_over() {
            return Cause::HandedOver { peer };
        }
        Cause::HigherPriority {
            peer,
            priority: heard.advert.priority,
        }
    }

    /// Whether the Active node asks this one to take over: by a word to it alone, or by falling to the lowest
    /// priority. That could have another reason, for which no member of a sync group moves alone.
    pub(super) fn is_asked(&self, heard: &Heard<'_>) -> bool {
        let known = self.peers.find(heard.from);
        heard.advert.priority == LOWEST
            && self.is_fit
            && self.duty == Duty::Serve
            && known.is_some_and(|before| {
                heard.direct || before.priority > LOWEST && !self.config.is_synced
            })
    }

    /// Takes over from the one who asks. Who alone was asked bids as if promoted: nobody who followed the owner shall
    /// contend. Where all are asked the best shall win.
    pub(super) fn relieve(&mut self, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        let is_alone = self.is_to_this_node(heard);
        let before = self.peers.find(heard.from).filter(|_| is_alone);
        let bid = before.map_or(LOWEST, |before| before.priority);
        let bid = bid.saturating_add(1);
        self.priority = bid.clamp(LOWEST + 1, PRIORITY_OWNER - 1).max(self.base);
        self.hold = Hold::None;
        let cause = Cause::AskedToTakeOver { peer: heard.from };
        if is_alone && !self.config.settle.is_zero() {
            return self.let_settle(now, heard.from, cause);
        }
        self.take_over(now, now + self.config.yield_grace, cause)
    }
}
