//! The initiator of seamless BFD (RFC 7880 section 7.3): probes at an interval, and what their answers say.
//!
//! Answers are stamped where they come in, and only stamps are compared: an observer that wakes up late finds
//! the stamps of the time that it missed, and never takes its own lateness for the peer's silence. Nor
//! does a probe count that did not leave.

mod round_trip;

use core::time::Duration;

use ha_common::wire::bfd::State as Said;

use self::round_trip::Matching;
pub use self::round_trip::RoundTrip;
use crate::{time::Time, vrrp::Liveness};

/// How a path is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// From one probe to the next.
    pub interval: Duration,
    /// A silence of so many intervals is a loss.
    pub multiplier: u32,
}

impl Config {
    /// The silence that is a loss.
    #[must_use]
    pub fn detection_time(&self) -> Duration {
        self.interval * self.multiplier
    }
}

/// An answer, as the data path has stamped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// When it came in.
    pub at: Time,
    /// What it says of the peer.
    pub said: Said,
    /// Number of the probe that it answers.
    pub sequence: u8,
}

/// What has been heard of the peer, as the data path has stamped it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Its newest answer.
    pub reply: Option<Reply>,
    /// When it last asked: it lives, though it may not hear this node.
    pub request: Option<Time>,
}

/// A change of what is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is now.
    pub liveness: Liveness,
    /// How long nothing had been heard.
    pub silence: Duration,
}

/// One path to a peer.
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    /// `None` before the first answer.
    liveness: Option<Liveness>,
    /// Probes that left since the last sign of life, the newest last; no more than decide.
    unanswered: Vec<Time>,
    next_probe: Time,
    sequence: u8,
    round_trip: Matching,
    longest_silence: Duration,
    last_sign: Option<Time>,
}

impl Session {
    /// A path of which nothing is known, to be probed from `now` on.
    #[must_use]
    pub fn new(now: Time, config: Config) -> Self {
        Self {
            config,
            liveness: None,
            unanswered: Vec::new(),
            next_probe: now,
            sequence: 0,
            round_trip: Matching::default(),
            longest_silence: Duration::ZERO,
            last_sign: None,
        }
    }

    /// What is known; `None` before the first answer.
    #[must_use]
    pub const fn liveness(&self) -> Option<Liveness> {
        self.liveness
    }

    /// How long answers take; `None` before the first one.
    #[must_use]
    pub const fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trip.result()
    }

    /// The longest silence so far after which the peer was still there. Where this node did not ask in time,
    /// its own lateness is not counted.
    #[must_use]
    pub const fn longest_silence(&self) -> Duration {
        self.longest_silence
    }

    /// Whether a probe is to be sent now.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        self.next_probe <= now
    }

    /// The number that the next probe carries.
    #[must_use]
    pub const fn sequence(&self) -> u8 {
        self.sequence
    }

    /// The probe was sent between `begun` and `now`, or could not be. The next one is due an interval later;
    /// what was missed is not made up for.
    pub fn sent(&mut self, begun: Time, now: Time, has_left: bool) {
        if has_left {
            self.round_trip.asked(self.sequence, begun);
            self.unanswered.push(now);
            let most = usize::try_from(self.config.multiplier).unwrap_or(usize::MAX);
            if self.unanswered.len() > most {
                self.unanswered.remove(0);
            }
        }
        self.sequence = self.sequence.wrapping_add(1);
        let on_time = self.next_probe + self.config.interval;
        self.next_probe = if on_time <= now {
            now + self.config.interval
        } else {
            on_time
        };
    }

    /// When to look again at the latest: for the next probe, or because a silence may be a loss then.
    #[must_use]
    pub fn deadline(&self) -> Time {
        match (self.liveness, self.last_sign) {
            (Some(Liveness::Up | Liveness::Down), Some(sign)) => {
                let loss = sign + self.config.detection_time();
                if self.next_probe < loss || self.is_unproven() {
                    self.next_probe
                } else {
                    loss
                }
            }
            _ => self.next_probe,
        }
    }

    /// Too few probes have left to tell a silence.
    fn is_unproven(&self) -> bool {
        self.unanswered.len() < self.needed()
    }

    /// Unanswered probes that a loss needs: all of a detection time but the one that is just leaving.
    fn needed(&self) -> usize {
        usize::try_from(self.config.multiplier.saturating_sub(1).max(1)).unwrap_or(usize::MAX)
    }

    /// Looks at the stamps; what has changed.
    pub fn observe(&mut self, now: Time, heard: Heard) -> Option<Change> {
        let replied = heard.reply.map(|reply| reply.at);
        let sign = replied.max(heard.request)?;
        self.note_sign(sign);
        let Reply { at, said, sequence } = heard.reply?;
        self.round_trip.answered(sequence, at);
        let liveness = if self.is_lost(now, sign) {
            self.gone(at, sign)
        } else {
            match said {
                Said::Up => Liveness::Up,
                Said::AdminDown | Said::Down | Said::Init => Liveness::Down,
            }
        };
        // A lost peer is back with a new answer only: its questions alone do not show that it hears.
        if self.is_gone() && self.is_old(now, at) {
            return None;
        }
        if self.liveness == Some(liveness) {
            return None;
        }
        self.liveness = Some(liveness);
        Some(Change {
            liveness,
            silence: now.since(sign),
        })
    }

    fn note_sign(&mut self, sign: Time) {
        if let Some(last) = self.last_sign
            && last < sign
            && !self.is_gone()
        {
            let asked = self.unanswered.first().copied().unwrap_or(sign).min(sign);
            let silence = sign
                .since(last)
                .min(sign.since(asked) + self.config.interval);
            self.longest_silence = self.longest_silence.max(silence);
        }
        self.last_sign = Some(sign);
        self.unanswered.retain(|probe| *probe > sign);
    }

    /// What it is whose last sign was `sign`, and whose last answer came at `replied`.
    fn gone(&self, replied: Time, sign: Time) -> Liveness {
        if sign.since(replied) < self.config.detection_time() {
            Liveness::Lost
        } else {
            Liveness::Unknown
        }
    }

    const fn is_gone(&self) -> bool {
        matches!(self.liveness, Some(Liveness::Lost | Liveness::Unknown))
    }

    fn is_old(&self, now: Time, reply: Time) -> bool {
        now.since(reply) >= self.config.detection_time()
    }

    /// Whether nothing was heard for the detection time, although there was enough to answer, with time to
    /// do so.
    fn is_lost(&self, now: Time, sign: Time) -> bool {
        let had_time = |probe: &&Time| now.since(**probe) >= self.config.interval;
        now.since(sign) >= self.config.detection_time()
            && self.unanswered.iter().filter(had_time).count() >= self.needed()
    }
}

#[cfg(test)]
mod tests;
