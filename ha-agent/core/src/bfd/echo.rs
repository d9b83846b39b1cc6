//! The echo function (RFC 5880 sections 6.4, 6.8.5 and 6.8.9): packets that the other system's forwarding
//! plane sends back.

use core::time::Duration;

use crate::time::Time;

/// Echo packets of a session while the function is active.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    interval: Duration,
    next: Time,
    sequence: u32,
    /// Sequence numbers of those that have not come back, oldest first.
    unanswered: Vec<u32>,
}

impl Echo {
    pub(super) const fn start(now: Time, interval: Duration) -> Self {
        Self {
            interval,
            next: now,
            sequence: 0,
            unanswered: Vec::new(),
        }
    }

    /// The other system, or the operator, wants another interval.
    pub(super) fn set_interval(&mut self, now: Time, interval: Duration) {
        if interval != self.interval {
            self.interval = interval;
            self.next = self.next.min(now + interval);
        }
    }

    /// When the next one is to be sent, or the last ones are to be back.
    pub(super) const fn deadline(&self) -> Time {
        self.next
    }

    /// Whether `mult` in a row have not come back, and the last one has had its time, too.
    ///
    /// Only what has left counts, and what was missed is not made up for: late wake-ups lose nothing.
    pub(super) fn has_failed(&self, now: Time, mult: u8) -> bool {
        self.next <= now && self.unanswered.len() >= usize::from(mult)
    }

    /// The number of the packet that is to be sent now, if one is.
    pub(super) fn send(&mut self, now: Time) -> Option<u32> {
        if now < self.next {
            return None;
        }
        self.next = now + self.interval;
        self.sequence = self.sequence.wrapping_add(1);
        self.unanswered.push(self.sequence);
        Some(self.sequence)
    }

    /// A packet is back: those before it will not be missed any more.
    pub(super) fn returned(&mut self, sequence: u32) {
        let place = self.unanswered.iter().position(|sent| *sent == sequence);
        if let Some(place) = place {
            self.unanswered.drain(..=place);
        }
    }

    /// A packet has not left.
    pub(super) fn unsent(&mut self, sequence: u32) {
        self.unanswered.retain(|sent| *sent != sequence);
    }
}
