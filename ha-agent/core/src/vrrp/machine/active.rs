//! Active: answers, and advertises that it does (RFC 9568 section 6.4.3).

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use super::{Heard, Hold, Machine, State, hand_over::HandOver, rank::Rank};
use crate::{
    election::{Cause, Command, Role},
    time::Time,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Active {
    /// Adver_Timer.
    pub(super) next_advert: Time,
    /// The operator wants another node to be Active.
    pub(super) hand_over: Option<HandOver>,
}

impl Active {
    pub(super) fn deadline(&self) -> Time {
        let ends = self.hand_over.iter();
        let ends = ends.flat_map(|hand_over| hand_over.ends.into_iter().chain(hand_over.settles));
        ends.fold(self.next_advert, Time::min)
    }
}

impl Machine {
    /// Becomes Active. The role comes first: a node never invites traffic that it would not answer.
    pub(super) fn become_active(&mut self, now: Time, cause: Cause) -> Vec<Command> {
        self.peers.clear();
        self.hold = Hold::None;
        let set_role = Command::SetRole {
            role: Role::Active,
            active: None,
            cause,
        };
        let mut commands = vec![set_role];
        self.state = State::Active(Active {
            next_advert: now,
            hand_over: None,
        });
        commands.extend(self.active_timer(now));
        commands.push(Command::Announce);
        commands
    }

    /// Advertises and sets Adver_Timer anew.
    pub(super) fn active_timer(&mut self, now: Time) -> Vec<Command> {
        let mut hand_over = self.handing_over();
        let priority = hand_over.as_mut().map_or(self.priority, HandOver::tell);
        self.state = State::Active(Active {
            next_advert: now + self.pause(),
            hand_over,
        });
        let advert = Command::SendAdvert { priority, to: None };
        let question = hand_over.and_then(HandOver::question);
        core::iter::once(advert).chain(question).collect()
    }

    pub(super) fn active_advert(&mut self, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        if self.is_heir_ready(heard) {
            return self.hand_on(now, heard.from);
        }
        // What else comes to this node alone is about a claim that is over.
        if heard.direct {
            return Vec::new();
        }
        if heard.advert.priority == PRIORITY_RELEASE {
            self.peers.forget(heard.from);
            return self.active_timer(now);
        }
        match self.rank(heard.from, heard.advert.priority) {
            Rank::Better => {
                self.note(now, heard);
                self.yield_to(now, heard, PRIORITY_RELEASE)
            }
            Rank::Worse => self.assert_active(now, heard),
            Rank::Undecided => Vec::new(),
        }
    }

    /// Answers an advertiser that is outranked. It has been Active for as long as the two did not hear
    /// each other and has announced itself, so the addresses are announced anew, once for each time
    /// that it appears.
    fn assert_active(&mut self, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        let is_new = !self.peers.knows(heard.from);
        self.note(now, heard);
        let mut commands = self.active_timer(now);
        if is_new {
            commands.push(Command::Announce);
        }
        commands
    }
}
