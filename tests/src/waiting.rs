//! Waiting for what a lab comes to.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Time between two looks.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits until it is so; how long it took. A lab keeps its logs and captures by itself when a test panics.
///
/// # Panics
///
/// When it is not so within `limit`.
pub fn until(limit: Duration, what: &str, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "not after {limit:?}: {what}");
        sleep(GLANCE);
    }
    begun.elapsed()
}
