//! Announcing again because somebody has not heard.

use core::time::Duration;

use super::{Schedule, Sweep};
use crate::time::Time;

/// The longest pause between announcements for the sake of stale traffic where there is no refresh.
const LONGEST: Duration = Duration::from_secs(60);

/// Stale traffic that goes on is of somebody who does not listen, so the pauses double.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hurry {
    earliest: Time,
    pause: Duration,
}

impl Schedule {
    /// Stale traffic was seen for a group: announces its first `count` places again, unless a round of
    /// the first announcements is still to come or the last one for this reason was just now.
    pub fn hurry(&mut self, now: Time, group: u32, count: usize) {
        let own = || self.sweeps.iter().filter(|sweep| sweep.group == group);
        let repeats = self.config.repeats;
        if count == 0 || own().any(|sweep| sweep.round <= repeats) {
            return;
        }
        let longest = self.config.refresh.unwrap_or(LONGEST);
        let hurry = self.hurries.entry(group).or_insert(Hurry {
            earliest: now,
            pause: self.config.spacing,
        });
        if now < hurry.earliest {
            return;
        }
        hurry.earliest = now + hurry.pause;
        hurry.pause = (hurry.pause * 2).min(longest);
        let mut is_refreshed = false;
        for sweep in &mut self.sweeps {
            if sweep.group == group {
                sweep.due = sweep.due.min(now);
                is_refreshed = true;
            }
        }
        if !is_refreshed {
            self.sweeps
                .push_back(Sweep::new(now, group, 0..count).into_refresh(repeats));
        }
    }
}
