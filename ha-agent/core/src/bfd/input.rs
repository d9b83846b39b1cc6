//! What happens to a session, and what it wants done.

use ha_common::wire::bfd::{Diagnostic, State};

use super::{config::Config, fsm::Why, packet::Packet};

/// What happens to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The session begins. Nothing else is heeded before.
    Start,
    /// The time of [`Session::deadline`](super::Session::deadline) has come, and nothing that was received before it is still waiting
    /// to be handed in.
    ///
    /// The second half is what keeps a late observer honest. After the agent was paused, the detection time
    /// is over and the packets that came meanwhile are still in the socket: they go first. So read the clock,
    /// then the socket until it is empty, and then hand in the timer with the time that was read first. Each
    /// packet counts from when it was read, not from when it came: a socket that was full has kept the old ones
    /// and dropped the new ones, and would make silence of the agent's own lateness.
    Timer,
    /// A packet that [`Packet::decode`] has assigned to this session.
    Packet(Packet),
    /// Hold the session down, and tell the other system that it is no failure (RFC 5880 section 6.8.16).
    Disable,
    /// No longer hold it down.
    Enable,
    /// The operator has changed something.
    Configure(Config),
    /// An echo packet is back.
    EchoReturned {
        /// Its number.
        sequence: u32,
    },
    /// An echo packet could not be sent, so that it will not be missed.
    EchoUnsent {
        /// Its number.
        sequence: u32,
    },
}

/// What a session wants done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The state has changed.
    Changed {
        /// What it is now.
        state: State,
        /// What the other system is told about it.
        diagnostic: Diagnostic,
        /// Why; only some of the reasons are failures ([`Why::is_failure`]).
        why: Why,
    },
    /// Send this control packet.
    Send(Packet),
    /// Send an echo packet.
    SendEcho {
        /// Its number.
        sequence: u32,
    },
}
