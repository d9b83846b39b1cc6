//! BFD: packets rule by rule, the states as a table, timers, and two systems on a network that loses and
//! delays.
#![forbid(unsafe_code)]

mod admin;
mod bench;
mod detection;
mod echo;
mod fsm;
mod packet;
mod poll;
mod properties;
mod simulation;
mod transmission;
