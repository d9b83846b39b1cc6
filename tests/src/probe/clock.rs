//! The time that probes, answers and faults have in common.

use std::time::Duration;

use nix::{
    errno::Errno,
    time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep},
};

/// Time since the start of a measurement, on the clock that never steps.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Duration,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            origin: read(ClockId::CLOCK_MONOTONIC),
        }
    }

    /// Time since the start.
    #[must_use]
    pub fn now(self) -> Duration {
        read(ClockId::CLOCK_MONOTONIC).saturating_sub(self.origin)
    }

    /// Sleeps until a time that does not move with the sleeper's own delays.
    pub(crate) fn sleep_until(self, time: Duration) {
        let time = (self.origin + time).into();
        while clock_nanosleep(
            ClockId::CLOCK_MONOTONIC,
            ClockNanosleepFlags::TIMER_ABSTIME,
            &time,
        ) == Err(Errno::EINTR)
        {}
    }

    /// What to take off a kernel receive stamp, which is wall-clock time, to get this clock's.
    ///
    /// `None` if the thread was interrupted between reading the one clock and the other, which would
    /// shift every stamp by as much.
    pub(super) fn wall_clock_lead(self) -> Option<Duration> {
        const UNDISTURBED: Duration = Duration::from_micros(50);
        let before = self.now();
        let wall = read(ClockId::CLOCK_REALTIME);
        let after = self.now();
        (after - before < UNDISTURBED).then(|| wall.saturating_sub(before))
    }
}

fn read(clock: ClockId) -> Duration {
    clock_gettime(clock).expect("Linux has both clocks").into()
}
