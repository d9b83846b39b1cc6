//! Nodes with leases on a network that delays and reorders: whatever is killed, paused, promoted or
//! released, no two of them are ever Active at once, and in the end one is.
#![forbid(unsafe_code)]

mod faults;
mod kernel;
mod lossless;
mod lossy;
mod network;
mod node;
mod timing;
mod watch;
mod world;

/// How many worlds each test looks at; `HA_SIMULATION_SEEDS` sets it for a longer soak.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("HA_SIMULATION_SEEDS").map(|count| count.parse());
    0..count.map_or(600, |count| count.expect("HA_SIMULATION_SEEDS is a number"))
}
