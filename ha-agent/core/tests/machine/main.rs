//! The virtual router's state machine, state by state and input by input.
#![forbid(unsafe_code)]

mod active;
mod backup;
mod bench;
mod claiming;
mod delays;
mod families;
mod fitness;
mod hand_over;
mod initialize;
mod operator;
mod properties;
mod reconfigure;
mod settle;
mod together;
mod unicast;
mod watch;
mod witness;
