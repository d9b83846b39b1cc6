//! When to announce which virtual IP: at once, again when neighbours have unlocked their entries, and
//! then for good at long intervals, never faster than the network bears.

mod hurry;
mod sweep;
#[cfg(test)]
mod tests;

use core::{num::NonZeroUsize, ops::Range, time::Duration};
use std::collections::{BTreeMap, VecDeque};

use self::{hurry::Hurry, sweep::Sweep};
use crate::time::Time;

/// How announcements are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many rounds follow the first.
    pub repeats: u32,
    /// From the end of a round to the next one.
    ///
    /// More than a second: Linux ignores an announcement within a second of the one before
    /// (`locktime` in `Documentation/networking/ip-sysctl.rst`).
    pub spacing: Duration,
    /// From the end of the last round, and of each refresh, to the next refresh. It keeps the entries
    /// of switches that forget sooner than their neighbours ask again. `None` for no refresh.
    pub refresh: Option<Duration>,
    /// How long a tick is.
    pub tick: Duration,
    /// Most virtual IPs to announce in a tick, all groups together.
    pub per_tick: NonZeroUsize,
}

impl Default for Config {
    /// Three more rounds after 1.1 s each, a refresh every minute, and at most 10,000 virtual IPs a
    /// second: 20,000 frames, as an IPv4 address takes a request and a reply.
    fn default() -> Self {
        Self {
            repeats: 3,
            spacing: Duration::from_millis(1_100),
            refresh: Some(Duration::from_secs(60)),
            tick: Duration::from_millis(5),
            per_tick: const { NonZeroUsize::new(50).expect("fifty is not zero") },
        }
    }
}

/// Virtual IPs to announce now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose they are, as given to [`Schedule::start`].
    pub group: u32,
    /// Their places in the group's list, which the caller keeps.
    pub indices: Range<usize>,
}

/// The announcements of all groups for which the node is Active.
///
/// A virtual IP is a place in its group's list. The places must stay what they are until the group is
/// started again: what is removed leaves a hole, which the caller passes over.
#[derive(Clone, Debug)]
pub struct Schedule {
    config: Config,
    /// In the order in which they are served, each for a batch at a time.
    sweeps: VecDeque<Sweep>,
    /// When the tick ends, and `budget` is renewed.
    tick_ends: Time,
    /// How many virtual IPs may still be announced in this tick.
    budget: usize,
    /// By group: what stale traffic has done to its refreshes.
    hurries: BTreeMap<u32, Hurry>,
}

impl Schedule {
    /// A schedule without groups.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            sweeps: VecDeque::new(),
            tick_ends: Time::default(),
            budget: 0,
            hurries: BTreeMap::new(),
        }
    }

    /// Spreads what is announced from now on like this.
    pub fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// Starts to announce the first `count` places of a group, from the beginning if it was started
    /// before.
    pub fn start(&mut self, now: Time, group: u32, count: usize) {
        self.stop(group);
        self.add(now, group, 0..count);
    }

    /// Starts to announce places that were added to a group, beside what is announced of it already.
    pub fn add(&mut self, now: Time, group: u32, places: Range<usize>) {
        if !places.is_empty() {
            self.sweeps.push_front(Sweep::new(now, group, places));
        }
    }

    /// Stops to announce a group.
    pub fn stop(&mut self, group: u32) {
        self.hurries.remove(&group);
        self.sweeps.retain(|sweep| sweep.group != group);
    }

    /// When to call [`Schedule::next`]; `None` while nothing is announced.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let due = self.sweeps.iter().map(|sweep| sweep.due).min()?;
        if self.budget == 0 {
            return Some(due.max(self.tick_ends));
        }
        Some(due)
    }

    /// What to announce at `now`, until it is `None`.
    ///
    /// The first place of a new sweep goes out before everything else: with a virtual MAC it turns the
    /// switches for the whole group. Then first rounds take turns, and after them the others.
    pub fn next(&mut self, now: Time) -> Option<Batch> {
        if self.tick_ends <= now {
            self.tick_ends = now + self.config.tick;
            self.budget = self.config.per_tick.get();
        }
        if self.budget == 0 {
            return None;
        }
        let due = self.sweeps.iter().enumerate().filter(|(_, s)| s.due <= now);
        let (turn, _) = due.min_by_key(|(_, sweep)| sweep.urgency())?;
        let mut sweep = self.sweeps.remove(turn)?;
        let indices = sweep.take(self.budget);
        self.budget -= indices.len();
        let group = sweep.group;
        if sweep.is_finished() {
            self.end_round(now, sweep);
        } else {
            self.sweeps.push_back(sweep);
        }
        Some(Batch { group, indices })
    }

    fn end_round(&mut self, now: Time, sweep: Sweep) {
        let rest = if sweep.round < self.config.repeats {
            Some(self.config.spacing)
        } else {
            self.config.refresh
        };
        let Some(rest) = rest else {
            return;
        };
        let sweep = sweep.again(now + rest);
        if sweep.round <= self.config.repeats {
            self.sweeps.push_back(sweep);
            return;
        }
        // Additions of one place at a time must not leave a sweep each for ever.
        let earliest = now + self.config.spacing;
        let neighbour = self.sweeps.iter_mut().find(|other| {
            other.round > self.config.repeats && earliest <= other.due && other.adjoins(&sweep)
        });
        match neighbour {
            Some(neighbour) => neighbour.absorb(&sweep),
            None => self.sweeps.push_back(sweep),
        }
    }
}
