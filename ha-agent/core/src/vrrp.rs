//! VRRP version 3 (RFC 9568), and 2 (RFC 3768) for migration: packets and state machine.
//!
//! * [`packet`]: advertisements to octets and back, one error for each rule of section 7.1;
//! * [`version`]: where the two differ beyond the octets;
//! * [`timers`]: intervals, skew time and Active_Down_Interval of section 6.1;
//! * [`config`]: what the operator decides;
//! * [`machine`]: the states of section 6.4, and the hand-over between live nodes.

mod alive;
mod checksum;
mod checksum_choice;
pub mod config;
mod error;
pub mod machine;
pub mod packet;
mod peers;
pub mod timers;
pub mod version;

pub use self::{
    alive::Liveness,
    checksum_choice::ChecksumChoice,
    config::{Peers, Primary, VrrpConfig},
    error::{Discard, Unencodable},
    machine::Machine,
    packet::{Addresses, Advertisement, Carrier, ChecksumV4, Context},
    timers::Centiseconds,
    version::Version,
};
