//! Tracking: what checks say about a group, as one priority or a fault.
//!
//! A check observes (an interface is up, a script exits 0, a port accepts); [`debounce`] makes a
//! state of its observations; [`weigh`] makes an effective priority of the states of all checks.

pub mod debounce;
pub mod weigh;

pub use debounce::{Debounce, Observation, State};
pub use weigh::{Effect, Fitness, weigh};
