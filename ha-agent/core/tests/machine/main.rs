//! The virtual router's state machine, state by state and input by input.
#![forbid(unsafe_code)]

mod active;
mod backup;
mod bench;
mod claiming;
mod families;
mod initialize;
mod operator;
mod properties;
