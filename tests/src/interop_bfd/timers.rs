//! What both sides are told, and what comes of it (RFC 5880 sections 6.8.4 and 6.8.7).

use std::time::Duration;

/// One side's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timers {
    /// Time between packets that it would like to send.
    pub(super) transmit: Duration,
    /// Time between packets that it can take.
    pub(super) receive: Duration,
    /// Packets that the other may miss.
    pub(super) multiplier: u8,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Ours. No two of the four times are the same, so that none can stand for another.
pub(super) const OURS: Timers = Timers {
    transmit: ms(50),
    receive: ms(120),
    multiplier: 3,
};
/// Theirs.
pub(super) const THEIRS: Timers = Timers {
    transmit: ms(100),
    receive: ms(80),
    multiplier: 4,
};
/// Theirs after a change.
pub(super) const CHANGED: Timers = Timers {
    transmit: ms(300),
    receive: ms(200),
    ..THEIRS
};
/// Between their echo packets.
pub(super) const ECHO: Duration = ms(50);
/// Between the echo packets that we take.
pub(super) const ECHO_RECEIVE: Duration = ms(20);

impl Timers {
    /// Time between its packets when it speaks with `other`, without jitter.
    pub(super) fn transmits(self, other: Self) -> Duration {
        self.transmit.max(other.receive)
    }

    /// The silence of `other` that is a failure.
    pub(super) fn detects(self, other: Self) -> Duration {
        other.transmits(self) * u32::from(other.multiplier)
    }
}

/// As milliseconds with their fraction.
pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// As whole milliseconds.
pub(super) fn whole_ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::{CHANGED, OURS, THEIRS, ms};

    #[test]
    fn the_slower_wish_counts_and_the_senders_multiplier() {
        assert_eq!(OURS.transmits(THEIRS), ms(80));
        assert_eq!(THEIRS.transmits(OURS), ms(120));
        assert_eq!(OURS.detects(THEIRS), ms(480));
        assert_eq!(THEIRS.detects(OURS), ms(240));
        assert_eq!(OURS.detects(CHANGED), ms(1_200));
    }
}
