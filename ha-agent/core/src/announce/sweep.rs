//! One way through some places of a group, again and again.

use core::ops::Range;

use crate::time::Time;

/// Which sweeps go before which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Nothing of it was ever announced.
    First,
    /// Some of it was never announced.
    FirstRound,
    /// All of it was.
    Repetition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sweep {
    pub(super) group: u32,
    /// Rounds completed.
    pub(super) round: u32,
    /// When the next batch may go out.
    pub(super) due: Time,
    places: Range<usize>,
    /// The first place that is still to come in this round.
    next: usize,
}

impl Sweep {
    pub(super) const fn new(due: Time, group: u32, places: Range<usize>) -> Self {
        Self {
            group,
            round: 0,
            due,
            next: places.start,
            places,
        }
    }

    /// The most urgent come first.
    pub(super) const fn urgency(&self) -> Urgency {
        if self.is_fresh() {
            Urgency::First
        } else if self.round == 0 {
            Urgency::FirstRound
        } else {
            Urgency::Repetition
        }
    }

    /// Whether nothing of it was ever announced.
    const fn is_fresh(&self) -> bool {
        self.round == 0 && self.next == self.places.start
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.next == self.places.end
    }

    /// The next places, `most` of them, but only the first one of a fresh sweep.
    pub(super) fn take(&mut self, most: usize) -> Range<usize> {
        let most = if self.is_fresh() { most.min(1) } else { most };
        let start = self.next;
        self.next = self.places.end.min(start.saturating_add(most));
        start..self.next
    }

    /// The next round.
    pub(super) fn again(self, due: Time) -> Self {
        Self {
            round: self.round.saturating_add(1),
            due,
            next: self.places.start,
            ..self
        }
    }

    /// The same as a refresh, which is as urgent as any.
    pub(super) const fn into_refresh(self, repeats: u32) -> Self {
        Self {
            round: repeats.saturating_add(1),
            ..self
        }
    }

    /// Whether `other` is beside it and both are at rest, so that they can go on as one.
    pub(super) fn adjoins(&self, other: &Self) -> bool {
        let is_beside =
            self.places.end == other.places.start || other.places.end == self.places.start;
        self.group == other.group && is_beside && self.rests() && other.rests()
    }

    /// Goes on with `other`'s places too, at its own time.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.places =
            self.places.start.min(other.places.start)..self.places.end.max(other.places.end);
        self.next = self.places.start;
    }

    const fn rests(&self) -> bool {
        self.next == self.places.start
    }
}
