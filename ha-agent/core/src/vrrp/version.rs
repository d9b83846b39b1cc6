//! The two versions of the protocol, and where they differ beyond the octets.

use core::{fmt, time::Duration};

use ha_common::wire::vrrp;

use super::timers::{self, Centiseconds};

/// A version of VRRP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 3768, for migration: IPv4 only, intervals of whole seconds that must be the same on all
    /// routers, no authentication. keepalived's default.
    V2,
    /// RFC 9568.
    #[default]
    V3,
}

impl Version {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => vrrp::VERSION_2,
            Self::V3 => vrrp::VERSION,
        }
    }

    /// Whether an advertisement of this version can name `interval`: version 2 counts whole seconds.
    #[must_use]
    pub const fn can_name(self, interval: Centiseconds) -> bool {
        match self {
            Self::V2 => interval.whole_seconds().is_some(),
            Self::V3 => true,
        }
    }

    /// Skew_Time. In version 2 it is a part of a second whatever the interval (RFC 3768 section 6.1).
    #[must_use]
    pub const fn skew_time(self, priority: u8, interval: Centiseconds) -> Duration {
        match self {
            Self::V2 => timers::skew_time(priority, Centiseconds::SECOND),
            Self::V3 => timers::skew_time(priority, interval),
        }
    }

    /// Active_Down_Interval, which version 2 calls Master_Down_Interval.
    #[must_use]
    pub const fn active_down_interval(self, priority: u8, interval: Centiseconds) -> Duration {
        timers::three(interval).saturating_add(self.skew_time(priority, interval))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::{Centiseconds, Version};

    #[test]
    fn version_2_counts_whole_seconds() {
        let interval = |centiseconds| Centiseconds::new(centiseconds).unwrap();
        for (centiseconds, seconds) in [(100, Some(1)), (4000, Some(40)), (1, None), (4095, None)] {
            assert_eq!(interval(centiseconds).whole_seconds(), seconds);
            assert_eq!(
                Version::V2.can_name(interval(centiseconds)),
                seconds.is_some()
            );
            assert!(Version::V3.can_name(interval(centiseconds)));
        }
    }

    #[test]
    fn the_skew_of_version_2_does_not_grow_with_the_interval() {
        let three_seconds = Centiseconds::new(300).unwrap();
        let skew = |version: Version| version.skew_time(128, three_seconds).as_millis();
        assert_eq!((skew(Version::V2), skew(Version::V3)), (500, 1_500));
        let down = |version: Version| version.active_down_interval(128, three_seconds).as_millis();
        assert_eq!((down(Version::V2), down(Version::V3)), (9_500, 10_500));
    }
}
