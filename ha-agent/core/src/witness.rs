//! Questions to the witness, and which answers count.
//!
//! It is looked at now and then, so that the operator learns that it is missing before it is needed, and asked
//! when it is. An answer counts for a question that was put before it only: what was sent while the link was
//! still whole says nothing about the link now.

use core::time::Duration;

use crate::time::Time;

/// From one look to the next.
pub const LOOK: Duration = Duration::from_secs(1);
/// Looks without an answer before it is missing.
const PATIENCE: u32 = 3;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It answers.
    Answers,
    /// It has not answered for several looks.
    Missing,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Whether it answers what was asked for an election.
    pub is_testimony: bool,
    /// Whether it is news that it answers.
    pub news: Option<News>,
}

/// One witness.
#[derive(Clone, Debug)]
pub struct Witness {
    sequence: u16,
    /// The first question of which an election waits for the answer.
    asked_from: Option<u16>,
    unanswered: u32,
    next_look: Time,
    answers: Option<bool>,
}

impl Witness {
    /// A witness of which nothing is known, to be looked at from `now` on.
    #[must_use]
    pub const fn new(now: Time) -> Self {
        Self {
            sequence: 0,
            asked_from: None,
            unanswered: 0,
            next_look: now,
            answers: None,
        }
    }

    /// Whether it answers; `None` while that is not known.
    #[must_use]
    pub const fn answers(&self) -> Option<bool> {
        self.answers
    }

    /// When [`Self::look`] is due.
    #[must_use]
    pub const fn next_look(&self) -> Time {
        self.next_look
    }

    /// An election asks: the number of the question to send.
    pub fn ask(&mut self) -> u16 {
        let sequence = self.next();
        self.asked_from.get_or_insert(sequence);
        sequence
    }

    /// It is time to look: the number of the question to send, and whether the last ones stayed unanswered.
    pub fn look(&mut self, now: Time) -> (u16, Option<News>) {
        self.next_look = now + LOOK;
        let news = if self.unanswered == PATIENCE && self.answers != Some(false) {
            self.answers = Some(false);
            Some(News::Missing)
        } else {
            None
        };
        self.unanswered = self.unanswered.saturating_add(1);
        (self.next(), news)
    }

    /// The question of this number was answered.
    pub fn answered(&mut self, sequence: u16) -> Meaning {
        let is_ours = self.sequence.wrapping_sub(sequence) < u16::MAX / 2;
        if !is_ours {
            return Meaning::default();
        }
        self.unanswered = 0;
        let is_news = self.answers != Some(true);
        self.answers = Some(true);
        let is_testimony = self
            .asked_from
            .is_some_and(|first| sequence.wrapping_sub(first) < u16::MAX / 2);
        if is_testimony {
            self.asked_from = None;
        }
        Meaning {
            is_testimony,
            news: is_news.then_some(News::Answers),
        }
    }

    fn next(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK, Meaning, News, PATIENCE, Time, Witness};

    fn now(looks: u32) -> Time {
        Time::default() + LOOK * looks
    }

    #[test]
    fn what_was_asked_before_the_question_is_no_testimony() {
        let mut witness = Witness::new(now(0));
        let (look, _) = witness.look(now(0));
        let question = witness.ask();
        assert!(!witness.answered(look).is_testimony);
        assert!(witness.answered(question).is_testimony);
        assert!(!witness.answered(question).is_testimony, "once");
    }

    #[test]
    fn any_question_since_the_first_will_do() {
        let mut witness = Witness::new(now(0));
        let _ = witness.ask();
        let second = witness.ask();
        let (look, _) = witness.look(now(0));
        assert!(look > second);
        assert!(witness.answered(look).is_testimony);
    }

    #[test]
    fn numbers_go_round() {
        let mut witness = Witness::new(now(0));
        for _ in 0..=u16::MAX {
            let (look, _) = witness.look(now(0));
            let _ = witness.answered(look);
        }
        witness.sequence = u16::MAX - 1;
        let old = witness.ask();
        let new = witness.ask();
        assert!(new < old);
        assert!(witness.answered(new).is_testimony);
    }

    #[test]
    fn what_was_never_asked_is_not_answered() {
        let mut witness = Witness::new(now(0));
        let _ = witness.ask();
        assert_eq!(witness.answered(700), Meaning::default());
        assert_eq!(witness.answers(), None);
    }

    #[test]
    fn a_missing_witness_is_told_once_and_its_return_too() {
        let mut witness = Witness::new(now(0));
        let (first, _) = witness.look(now(0));
        assert_eq!(witness.next_look(), now(1));
        assert_eq!(witness.answered(first).news, Some(News::Answers));
        assert_eq!(witness.answered(first).news, None);
        let news: Vec<_> = (1..9).map(|n| witness.look(now(n)).1).collect();
        let told = news.iter().filter(|n| **n == Some(News::Missing)).count();
        assert_eq!(told, 1);
        assert_eq!(news[PATIENCE as usize], Some(News::Missing));
        let (last, _) = witness.look(now(9));
        assert_eq!(witness.answered(last).news, Some(News::Answers));
    }
}
