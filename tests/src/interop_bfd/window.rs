//! Part of a capture, to count in.

use std::{
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long packets are counted.
pub(super) const WATCHED: Duration = Duration::from_secs(3);

/// Part of a capture in which packets are counted: seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window(f64, f64);

/// Looks on for a while.
pub(super) fn watch() -> Window {
    let from = now();
    sleep(WATCHED);
    Window(from, now())
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

impl Window {
    /// All that comes after this.
    pub(super) const fn since(from: f64) -> Self {
        Self(from, f64::MAX)
    }

    /// How many of these times are in it.
    pub(super) fn count(self, times: &[f64]) -> usize {
        let Self(from, until) = self;
        times
            .iter()
            .filter(|time| (from..until).contains(*time))
            .count()
    }
}
