//! The states of a session (RFC 5880 sections 6.2, 6.8.4 to 6.8.6 and 6.8.16), as a table.

use ha_common::wire::bfd::{Diagnostic, State};

/// What may move a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The other system says that it is in this state.
    Received(State),
    /// It has said nothing for a Detection Time.
    DetectionTimeExpired,
    /// Echo packets have not come back.
    EchoFailed,
    /// The operator, or an agent that stops, holds the session down.
    Disable,
    /// It is no longer held down.
    Enable,
}

/// Why a state has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The other system is heard.
    Heard,
    /// Both hear each other.
    Established,
    /// The other system says that it is Down: it does not hear this one, or has been restarted.
    PeerDown,
    /// The other system's operator holds the session down. That says nothing about the path.
    PeerAdminDown,
    /// The other system has been silent for a Detection Time.
    DetectionTimeExpired,
    /// Echo packets have not come back.
    EchoFailed,
    /// The session is held down here.
    Disabled,
    /// The session is no longer held down here.
    Enabled,
}

impl Why {
    /// Whether it is a failure of the path, or of the other system. A session that is held down at either end
    /// must not be taken for one (RFC 5882 sections 3.2 and 4.2).
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::PeerDown | Self::DetectionTimeExpired | Self::EchoFailed => true,
            Self::Heard
            | Self::Established
            | Self::PeerAdminDown
            | Self::Disabled
            | Self::Enabled => false,
        }
    }
}

impl core::fmt::Display for Why {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Heard => "the other system is heard",
            Self::Established => "both systems hear each other",
            Self::PeerDown => "the other system says that it is down",
            Self::PeerAdminDown => "the other system holds the session down",
            Self::DetectionTimeExpired => "the other system has fallen silent",
            Self::EchoFailed => "echo packets do not come back",
            Self::Disabled => "the session is held down here",
            Self::Enabled => "the session is no longer held down here",
        })
    }
}

/// A new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state.
    pub state: State,
    /// The diagnostic that goes with it; `None` if the one before stands.
    pub diagnostic: Option<Diagnostic>,
    /// Why.
    pub why: Why,
}

/// What an event makes of a state; `None` if it stays.
///
/// A session that comes Up has nothing to explain any more: its diagnostic is cleared.
#[must_use]
pub const fn next(state: State, event: Event) -> Option<Transition> {
    match event {
        Event::Received(remote) => received(state, remote),
        Event::DetectionTimeExpired => match state {
            State::Init | State::Up => Some(down(
                Diagnostic::DetectionTimeExpired,
                Why::DetectionTimeExpired,
            )),
            State::AdminDown | State::Down => None,
        },
        Event::EchoFailed => match state {
            State::Up => Some(down(Diagnostic::EchoFailed, Why::EchoFailed)),
            State::AdminDown | State::Down | State::Init => None,
        },
        Event::Disable => match state {
            State::Down | State::Init | State::Up => Some(Transition {
                state: State::AdminDown,
                diagnostic: Some(Diagnostic::AdministrativelyDown),
                why: Why::Disabled,
            }),
            State::AdminDown => None,
        },
        Event::Enable => match state {
            State::AdminDown => Some(Transition {
                state: State::Down,
                diagnostic: None,
                why: Why::Enabled,
            }),
            State::Down | State::Init | State::Up => None,
        },
    }
}

/// RFC 5880 section 6.8.6.
const fn received(state: State, remote: State) -> Option<Transition> {
    match (state, remote) {
        (State::Init | State::Up, State::AdminDown) => {
            Some(down(Diagnostic::NeighbourDown, Why::PeerAdminDown))
        }
        (State::Down, State::Down) => Some(Transition {
            state: State::Init,
            diagnostic: None,
            why: Why::Heard,
        }),
        (State::Down, State::Init) | (State::Init, State::Init | State::Up) => Some(Transition {
            state: State::Up,
            diagnostic: Some(Diagnostic::None),
            why: Why::Established,
        }),
        (State::Up, State::Down) => Some(down(Diagnostic::NeighbourDown, Why::PeerDown)),
        (State::AdminDown, State::AdminDown | State::Down | State::Init | State::Up)
        | (State::Down, State::AdminDown | State::Up)
        | (State::Init, State::Down)
        | (State::Up, State::Init | State::Up) => None,
    }
}

const fn down(diagnostic: Diagnostic, why: Why) -> Transition {
    Transition {
        state: State::Down,
        diagnostic: Some(diagnostic),
        why,
    }
}
