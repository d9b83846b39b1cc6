//! VRRP version 3 (RFC 9568): packets and state machine.
//!
//! * [`packet`]: advertisements to octets and back, one error for each rule of section 7.1;
//! * [`timers`]: intervals, skew time and Active_Down_Interval of section 6.1;
//! * [`config`]: what the operator decides;

mod checksum;
pub mod config;
mod error;
pub mod packet;
pub mod timers;

pub use self::{
    config::{Primary, VrrpConfig},
    error::{Discard, Unencodable},
    packet::{Addresses, Advertisement, Carrier, ChecksumV4, Context},
    timers::Centiseconds,
};
