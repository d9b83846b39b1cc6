//! Another configuration for an agent that runs: what is new works, what is gone is gone, what stays is not touched,
//! and what is wrong changes nothing.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod agent;
mod groups;
mod network;
mod pair;
mod refused;
mod tags;
