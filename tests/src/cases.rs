//! Tables of cases beside programs of other makers, as one test each: all are played, also after one has failed.

use std::{env, fmt, path::Path};

use anyhow::Result;

use crate::under_test;

/// Part of the names of the cases to play; all if it is not set.
const ONLY: &str = "HA_INTEROP_CASES";

/// What became of a case.
pub trait Judged: fmt::Display {
    /// Whether something is not as it should be.
    fn is_at_fault(&self) -> bool;
}

/// Plays the chosen ones of these cases, each by its name and what it does with the agent.
///
/// # Panics
///
/// When a case could not be played or is not as expected, or none was chosen.
pub fn play<V: Judged>(cases: impl Iterator<Item = (&'static str, impl Fn(&Path) -> Result<V>)>) {
    let agent = under_test::agent();
    let only = env::var(ONLY).unwrap_or_default();
    let is_chosen = |name: &str| only.is_empty() || only.split(',').any(|part| name.contains(part));
    let mut broken = Vec::new();
    let mut played = 0;
    for (name, run) in cases.filter(|(name, _)| is_chosen(name)) {
        played += 1;
        match run(&agent) {
            Ok(verdict) => {
                println!("{name}\n{verdict}");
                if verdict.is_at_fault() {
                    broken.push(name);
                }
            }
            Err(error) => {
                println!("{name}\n    {error:#}");
                broken.push(name);
            }
        }
    }
    assert!(played > 0, "no case has {only:?} in its name");
    assert!(broken.is_empty(), "not as expected: {}", broken.join(", "));
}
