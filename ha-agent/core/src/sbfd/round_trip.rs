//! How long answers take: by the number that a probe carries and its answer gives back.

use core::time::Duration;
use std::collections::VecDeque;

use crate::time::Time;

/// Probes whose answers are still waited for; later ones do not tell of the path as it is now.
const WAITING: usize = 8;
/// Part of a new sample in the mean, as a divisor (as in RFC 6298 section 2.3).
const WEIGHT: u32 = 8;

/// Times from a probe to its answer, as the data path has stamped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrip {
    /// Of the newest answer.
    pub last: Duration,
    /// The mean, in which older ones fade.
    pub mean: Duration,
    /// The longest so far.
    pub longest: Duration,
}

/// Probes and answers, matched.
#[derive(Clone, Debug, Default)]
pub(super) struct Matching {
    waiting: VecDeque<(u8, Time)>,
    result: Option<RoundTrip>,
}

impl Matching {
    pub(super) const fn result(&self) -> Option<RoundTrip> {
        self.result
    }

    pub(super) fn asked(&mut self, sequence: u8, at: Time) {
        // One that was never answered may have had the number when the numbers last came round.
        self.waiting.retain(|(before, _)| *before != sequence);
        if self.waiting.len() == WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((sequence, at));
    }

    /// The answer to the probe of this number was stamped at `at`; each counts once.
    pub(super) fn answered(&mut self, sequence: u8, at: Time) {
        let found = self.waiting.iter().position(|(s, _)| *s == sequence);
        let Some((_, asked)) = found.and_then(|place| self.waiting.remove(place)) else {
            return;
        };
        let last = at.since(asked);
        self.result = Some(match self.result {
            None => RoundTrip {
                last,
                mean: last,
                longest: last,
            },
            Some(before) => RoundTrip {
                last,
                mean: before.mean - before.mean / WEIGHT + last / WEIGHT,
                longest: before.longest.max(last),
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Matching, RoundTrip, Time, WAITING};

    const MS: Duration = Duration::from_millis(1);

    const fn at(millis: u64) -> Time {
        Time::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn an_answer_is_matched_with_its_probe_and_counts_once() {
        let mut matching = Matching::default();
        matching.asked(1, at(0));
        matching.asked(2, at(10));
        matching.answered(2, at(18));
        let expected = RoundTrip {
            last: MS * 8,
            mean: MS * 8,
            longest: MS * 8,
        };
        assert_eq!(matching.result(), Some(expected));
        matching.answered(2, at(50));
        assert_eq!(matching.result(), Some(expected), "seen already");
        matching.answered(1, at(16));
        let expected = RoundTrip {
            last: MS * 16,
            mean: MS * 9,
            longest: MS * 16,
        };
        assert_eq!(matching.result(), Some(expected));
    }

    #[test]
    fn an_answer_is_of_the_newest_probe_with_its_number() {
        let mut matching = Matching::default();
        matching.asked(7, at(0));
        matching.asked(7, at(768));
        matching.answered(7, at(769));
        assert_eq!(matching.result().map(|trip| trip.longest), Some(MS));
    }

    #[test]
    fn what_is_too_old_or_was_never_asked_is_not_counted() {
        let mut matching = Matching::default();
        for sequence in 0..=WAITING as u8 {
            matching.asked(sequence, at(0));
        }
        matching.answered(0, at(1));
        matching.answered(200, at(1));
        assert_eq!(matching.result(), None);
    }
}
