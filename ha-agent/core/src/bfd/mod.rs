//! BFD (RFC 5880) over one hop (RFC 5881), in asynchronous mode: routers watch this node, and it them.
//!
//! * [`packet`]: control packets to octets and back, one error for each rule of section 6.8.6;
//! * [`fsm`]: the states of section 6.2 as a table;
//! * [`timers`]: intervals, jitter and the detection time of sections 6.8.2, 6.8.4 and 6.8.7;
//! * [`config`]: what the operator decides;
//! * [`input`]: what happens to a session, and what it wants done;
//! * [`session`]: the variables of section 6.8.1, and how they move.
//!
//! Authentication (section 6.7) and Demand mode of this side are not offered; several hops (RFC 5883)
//! neither. The other system may use Demand mode.

pub mod config;
mod echo;
mod error;
pub mod fsm;
pub mod input;
pub mod packet;
mod poll;
pub mod session;
pub mod timers;

pub use ha_common::wire::bfd::{Diagnostic, State};

pub use self::{
    config::Config,
    error::Discard,
    fsm::Why,
    input::{Command, Input},
    packet::{Key, Packet},
    session::Session,
    timers::Micros,
};
