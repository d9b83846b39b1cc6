//! The initiator of seamless BFD (RFC 7880 section 7.3): probes at an interval, and what their answers say.
//!
//! Answers are stamped where they come in, and only stamps are compared: an observer that wakes up late finds
//! the stamps of the time that it missed, and never takes its own lateness for the peer's silence. Nor
//! does a probe count that did not leave.

use core::time::Duration;

use ha_common::wire::bfd::State as Said;

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

/// What has been heard of the peer, as the data path has stamped it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// When it last answered, and what.
    pub reply: Option<(Time, Said)>,
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
            longest_silence: Duration::ZERO,
            last_sign: None,
        }
    }

    /// What is known; `None` before the first answer.
    #[must_use]
    pub const fn liveness(&self) -> Option<Liveness> {
        self.liveness
    }

    /// The longest silence between two signs of life so far.
    #[must_use]
    pub const fn longest_silence(&self) -> Duration {
        self.longest_silence
    }

    /// Whether a probe is to be sent now.
    #[must_use]
    pub fn is_due(&self, now: Time) -> bool {
        self.next_probe <= now
    }

    /// A probe was sent, or could not be. The next one is due an interval later; what was missed is not made
    /// up for.
    pub fn sent(&mut self, now: Time, has_left: bool) {
        if has_left {
            self.unanswered.push(now);
            let most = usize::try_from(self.config.multiplier).unwrap_or(usize::MAX);
            if self.unanswered.len() > most {
                self.unanswered.remove(0);
            }
        }
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
        let replied = heard.reply.map(|(at, _)| at);
        let sign = replied.max(heard.request)?;
        let silence = self
            .last_sign
            .map_or(Duration::ZERO, |last| sign.since(last));
        self.longest_silence = self.longest_silence.max(silence);
        self.last_sign = Some(sign);
        self.unanswered.retain(|probe| *probe > sign);
        let (at, said) = heard.reply?;
        let liveness = if self.is_lost(now, sign) {
            Liveness::Lost
        } else {
            match said {
                Said::Up => Liveness::Up,
                Said::AdminDown | Said::Down | Said::Init => Liveness::Down,
            }
        };
        // A lost peer is back with a new answer only: its questions alone do not show that it hears.
        if self.liveness == Some(Liveness::Lost) && self.is_old(now, at) {
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
mod tests {
    use super::{Change, Config, Duration, Heard, Liveness, Said, Session, Time};

    const MS: Duration = Duration::from_millis(1);
    const CONFIG: Config = Config {
        interval: Duration::from_millis(3),
        multiplier: 3,
    };

    const fn at(millis: u64) -> Time {
        Time::from_origin(Duration::from_millis(millis))
    }

    const fn reply(millis: u64, said: Said) -> Heard {
        Heard {
            reply: Some((at(millis), said)),
            request: None,
        }
    }

    /// Answered each 3 ms until 30 ms.
    fn up() -> Session {
        let mut session = Session::new(at(0), CONFIG);
        for probe in 0..=10 {
            let now = at(probe * 3);
            assert!(session.is_due(now));
            session.sent(now, true);
            let change = session.observe(now, reply(probe * 3, Said::Up));
            assert_eq!(change.is_some(), probe == 0);
        }
        assert_eq!(session.liveness(), Some(Liveness::Up));
        session
    }

    #[test]
    fn three_intervals_of_silence_are_a_loss() {
        let mut session = up();
        for now in [33, 36] {
            assert_eq!(session.deadline(), at(now));
            session.sent(at(now), true);
            assert_eq!(session.observe(at(now), reply(30, Said::Up)), None);
        }
        assert_eq!(session.deadline(), at(39));
        let change = session.observe(at(39), reply(30, Said::Up));
        let liveness = Liveness::Lost;
        let silence = MS * 9;
        assert_eq!(change, Some(Change { liveness, silence }));
        assert_eq!(session.observe(at(40), reply(30, Said::Up)), None, "once");
    }

    #[test]
    fn who_wakes_up_late_has_asked_nothing_that_could_be_answered() {
        let mut session = up();
        assert_eq!(session.observe(at(500), reply(30, Said::Up)), None);
        session.sent(at(500), true);
        assert_eq!(session.observe(at(501), reply(30, Said::Up)), None);
        assert_eq!(session.deadline(), at(503));
        assert_eq!(session.observe(at(503), reply(500, Said::Up)), None);
        assert_eq!(session.liveness(), Some(Liveness::Up));
    }

    #[test]
    fn probes_that_did_not_leave_do_not_count() {
        let mut session = up();
        for now in (33..100).step_by(3) {
            session.sent(at(now), false);
            assert_eq!(session.observe(at(now), reply(30, Said::Up)), None);
        }
    }

    #[test]
    fn a_question_of_the_peer_is_a_sign_of_life() {
        let mut session = up();
        for now in (33..100).step_by(3) {
            session.sent(at(now), true);
            let heard = Heard {
                request: Some(at(now - 1)),
                ..reply(30, Said::Up)
            };
            assert_eq!(session.observe(at(now), heard), None);
        }
    }

    #[test]
    fn a_lapsed_lease_is_told_by_the_next_answer() {
        let mut session = up();
        let change = session.observe(at(33), reply(33, Said::AdminDown));
        assert_eq!(change.map(|c| c.liveness), Some(Liveness::Down));
        let change = session.observe(at(36), reply(36, Said::Up));
        assert_eq!(change.map(|c| c.liveness), Some(Liveness::Up));
    }

    #[test]
    fn a_lost_peer_is_back_with_its_first_answer() {
        let mut session = up();
        for now in [33, 36, 39] {
            session.sent(at(now), true);
            let _ = session.observe(at(now), reply(30, Said::Up));
        }
        assert_eq!(session.liveness(), Some(Liveness::Lost));
        let asks = Heard {
            request: Some(at(41)),
            ..reply(30, Said::Up)
        };
        assert_eq!(session.observe(at(42), asks), None, "it may not hear");
        let change = session.observe(at(45), reply(45, Said::Up));
        assert_eq!(change.map(|c| c.liveness), Some(Liveness::Up));
    }

    #[test]
    fn of_a_peer_that_never_answered_nothing_is_said() {
        let mut session = Session::new(at(0), CONFIG);
        for now in (0..100).step_by(3) {
            session.sent(at(now), true);
            assert_eq!(session.observe(at(now), Heard::default()), None);
        }
        assert_eq!(session.liveness(), None);
    }

    #[test]
    fn the_longest_silence_is_kept() {
        let mut session = up();
        assert_eq!(session.longest_silence(), MS * 3);
        let _ = session.observe(at(37), reply(37, Said::Up));
        assert_eq!(session.longest_silence(), MS * 7);
    }
}
