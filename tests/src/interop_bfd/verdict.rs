//! What was found in a case.

use std::{fmt, time::Duration};

use crate::cases::Judged;

/// What became of a case.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What was found, a sentence each.
    pub facts: Vec<String>,
    /// What is not as it should be, a sentence each.
    pub faults: Vec<String>,
}

impl Verdict {
    /// Notes what was found, and whether it is what is expected.
    pub(super) fn equal<T: PartialEq + fmt::Debug>(&mut self, what: &str, found: &T, expected: &T) {
        if found == expected {
            self.facts.push(format!("{what}: {found:?}"));
        } else {
            let fault = format!("{what}: {found:?} instead of {expected:?}");
            self.faults.push(fault);
        }
    }

    /// Notes a number, and whether it is within bounds.
    pub(super) fn between(&mut self, what: &str, found: usize, least: usize, most: usize) {
        let fact = format!("{what}: {found} ({least} to {most})");
        if (least..=most).contains(&found) {
            self.facts.push(fact);
        } else {
            self.faults.push(fact);
        }
    }

    /// Notes a number, and whether it is large enough.
    pub(super) fn at_least(&mut self, what: &str, found: usize, least: usize) {
        let fact = format!("{what}: {found} (at least {least})");
        if found >= least {
            self.facts.push(fact);
        } else {
            self.faults.push(fact);
        }
    }

    /// Notes how long something took, and whether that was neither too early nor too late.
    pub(super) fn took(&mut self, what: &str, found: Duration, least: Duration, most: Duration) {
        let millis =
            |duration: Duration| usize::try_from(duration.as_millis()).unwrap_or(usize::MAX);
        self.between(
            &format!("{what}, milliseconds"),
            millis(found),
            millis(least),
            millis(most),
        );
    }
}

impl Judged for Verdict {
    fn is_at_fault(&self) -> bool {
        !self.faults.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in &self.facts {
            writeln!(f, "    {fact}")?;
        }
        for fault in &self.faults {
            writeln!(f, "    FAULT {fault}")?;
        }
        Ok(())
    }
}
