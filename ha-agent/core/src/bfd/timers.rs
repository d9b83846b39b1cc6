//! Intervals of RFC 5880 sections 6.8.2, 6.8.4 and 6.8.7.

use core::{fmt, num::NonZeroU8, time::Duration};

/// A length of time on the wire: whole microseconds (RFC 5880 section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(u32);

impl Micros {
    /// None: where a system says what it can take, nothing at all.
    pub const ZERO: Self = Self(0);
    /// The least that there is: what the other system is taken to accept before it has said so (RFC 5880
    /// section 6.8.1, `bfd.RemoteMinRxInterval`).
    pub const MIN: Self = Self(1);
    /// One second: the least interval of a session that is not Up (RFC 5880 section 6.8.3).
    pub const SECOND: Self = Self(1_000_000);

    /// So many microseconds.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// The same as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0 as u64)
    }

    /// How many microseconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    pub(super) const fn from_wire(octets: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(octets))
    }

    pub(super) const fn to_wire(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl From<Duration> for Micros {
    /// Whole microseconds; what is longer than the field holds is as long as it holds.
    fn from(duration: Duration) -> Self {
        Self(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.duration())
    }
}

/// What a system tells the other one about its own timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// `bfd.DesiredMinTxInterval`.
    pub(super) desired_min_tx: Micros,
    /// `bfd.RequiredMinRxInterval`.
    pub(super) required_min_rx: Micros,
}

/// The time to the next packet (RFC 5880 section 6.8.7): the interval less 0 to 25 %, and less 10 to 25 %
/// if a single lost packet is a failure. `random` chooses, all of its range alike.
#[must_use]
pub fn jittered(interval: Duration, detect_mult: NonZeroU8, random: u32) -> Duration {
    let most = if detect_mult.get() == 1 { 90 } else { 100 };
    let (least, span) = (interval * 75 / 100, interval * (most - 75) / 100);
    least + span.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// The Detection Time (RFC 5880 section 6.8.4): the other system's multiplier times the interval that was
/// agreed on for its packets.
#[must_use]
pub fn detection_time(
    detect_mult: NonZeroU8,
    required_min_rx: Micros,
    desired_min_tx: Micros,
) -> Duration {
    required_min_rx.max(desired_min_tx).duration() * u32::from(detect_mult.get())
}

#[cfg(test)]
mod tests {
    use super::{Duration, Micros, NonZeroU8, detection_time, jittered};

    const INTERVAL: Duration = Duration::from_millis(100);

    fn mult(count: u8) -> NonZeroU8 {
        NonZeroU8::new(count).unwrap()
    }

    #[test]
    fn jitter_takes_up_to_a_quarter() {
        assert_eq!(jittered(INTERVAL, mult(3), 0), Duration::from_millis(75));
        assert_eq!(jittered(INTERVAL, mult(3), u32::MAX), INTERVAL);
        let half = jittered(INTERVAL, mult(3), u32::MAX / 2);
        assert!((87..=88).contains(&half.as_millis()), "{half:?}");
    }

    #[test]
    fn where_one_packet_decides_it_comes_early() {
        assert_eq!(jittered(INTERVAL, mult(1), 0), Duration::from_millis(75));
        let most = jittered(INTERVAL, mult(1), u32::MAX);
        assert_eq!(most, Duration::from_millis(90));
    }

    #[test]
    fn the_slower_side_decides_how_long_silence_may_last() {
        let (slow, fast) = (Micros::new(50_000), Micros::new(10_000));
        for (own, remote) in [(slow, fast), (fast, slow)] {
            let time = detection_time(mult(3), own, remote);
            assert_eq!(time, Duration::from_millis(150));
        }
    }

    #[test]
    fn nothing_is_too_long_for_the_arithmetic() {
        let longest = Micros::new(u32::MAX);
        let time = detection_time(mult(255), longest, longest);
        assert_eq!(time, longest.duration() * 255);
        assert!(jittered(longest.duration(), mult(3), u32::MAX) <= longest.duration());
    }

    #[test]
    fn what_the_field_does_not_hold_is_as_much_as_it_holds() {
        assert_eq!(Micros::from(Duration::from_millis(3)), Micros::new(3_000));
        assert_eq!(Micros::from(Duration::MAX), Micros::new(u32::MAX));
    }
}
