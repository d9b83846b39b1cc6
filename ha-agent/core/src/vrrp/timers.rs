//! Intervals of RFC 9568 section 6.1, as exact durations.

use core::{fmt, time::Duration};

/// Nanoseconds in a centisecond.
const NANOS: u64 = 10_000_000;

/// An advertisement interval: 1 to 4095 hundredths of a second, as twelve bits on the wire hold
/// them (RFC 9568 section 5.2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Centiseconds(u16);

impl Centiseconds {
    /// The shortest interval: 10 ms.
    pub const MIN: Self = Self(1);
    /// The longest interval: 40.95 s.
    pub const MAX: Self = Self(4095);
    /// One second.
    pub const SECOND: Self = Self(100);
    /// The RFC's default: 1 s.
    pub const DEFAULT: Self = Self::SECOND;

    /// An interval of `count` centiseconds; `None` unless it is 1 to 4095.
    #[must_use]
    pub const fn new(count: u16) -> Option<Self> {
        match count {
            1..=4095 => Some(Self(count)),
            _ => None,
        }
    }

    /// How many hundredths of a second.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// How many seconds, if it is a whole number of them.
    #[must_use]
    pub const fn whole_seconds(self) -> Option<u8> {
        match self.0 % Self::SECOND.0 {
            0 => Some((self.0 / Self::SECOND.0) as u8),
            _ => None,
        }
    }

    /// The same as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_nanos(self.0 as u64 * NANOS)
    }
}

impl fmt::Display for Centiseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", u32::from(self.0) * 10)
    }
}

/// Skew_Time: `((256 - priority) * Active_Adver_Interval) / 256`.
///
/// It spreads the Backups of a group, so that the one with the highest priority takes over first and
/// the others hear it in time. The RFC computes in centiseconds and so rounds it to zero for
/// short intervals; here it is exact to the nanosecond.
#[must_use]
pub const fn skew_time(priority: u8, active_advert_interval: Centiseconds) -> Duration {
    let interval = active_advert_interval.0 as u64 * NANOS;
    Duration::from_nanos((256 - priority as u64) * interval / 256)
}

/// Active_Down_Interval: `3 * Active_Adver_Interval + Skew_Time`, the silence after which a Backup
/// takes over.
#[must_use]
pub const fn active_down_interval(priority: u8, active_advert_interval: Centiseconds) -> Duration {
    three(active_advert_interval).saturating_add(skew_time(priority, active_advert_interval))
}

/// The part of Active_Down_Interval that is the same for everybody.
pub(super) const fn three(active_advert_interval: Centiseconds) -> Duration {
    Duration::from_nanos(3 * active_advert_interval.0 as u64 * NANOS)
}

#[cfg(test)]
mod tests {
    use super::{Centiseconds, Duration, active_down_interval, skew_time};

    fn interval(centiseconds: u16) -> Centiseconds {
        Centiseconds::new(centiseconds).unwrap()
    }

    #[test]
    fn intervals_are_twelve_bits_and_not_zero() {
        assert_eq!(Centiseconds::new(0), None);
        assert_eq!(Centiseconds::new(1), Some(Centiseconds::MIN));
        assert_eq!(Centiseconds::new(4095), Some(Centiseconds::MAX));
        assert_eq!(Centiseconds::new(4096), None);
        assert_eq!(Centiseconds::DEFAULT.duration(), Duration::from_secs(1));
        assert_eq!(Centiseconds::MAX.duration(), Duration::from_millis(40_950));
        assert_eq!(interval(3).to_string(), "30 ms");
    }

    #[test]
    fn skew_is_not_rounded_to_centiseconds() {
        let nanos = |priority, centiseconds| skew_time(priority, interval(centiseconds)).as_nanos();
        assert_eq!(nanos(100, 100), 609_375_000);
        assert_eq!(nanos(254, 1), 78_125);
        assert_eq!(nanos(255, 1), 39_062);
        assert_eq!(nanos(255, 4095), 159_960_937);
        assert_eq!(nanos(0, 100), 1_000_000_000);
    }

    #[test]
    fn active_down_is_three_intervals_and_the_skew() {
        let millis = |priority, centiseconds| {
            active_down_interval(priority, interval(centiseconds)).as_millis()
        };
        assert_eq!(millis(100, 100), 3_609);
        assert_eq!(millis(100, 10), 360);
        assert_eq!(millis(254, 1), 30);
        assert_eq!(millis(1, 4095), 122_850 + 40_790);
    }

    #[test]
    fn higher_priority_is_faster_at_every_interval() {
        for centiseconds in [1, 10, 100, 4095] {
            for priority in 0..255 {
                let at = |priority| active_down_interval(priority, interval(centiseconds));
                assert!(at(priority + 1) < at(priority));
            }
        }
    }
}
