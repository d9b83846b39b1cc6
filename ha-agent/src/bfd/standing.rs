//! What a session says about the path to its router, for a check.

use ha_core::bfd::{State, Why};

/// What is known of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The session has not come Up yet since the agent started.
    Beginning,
    /// It is Up.
    Up,
    /// It has failed, and has not come Up again.
    Failed(Why),
    /// It is held down at either end. That says nothing about the path (RFC 5882 section 4.2), so what was said
    /// before stands.
    Held,
}

impl Standing {
    /// What it is after a change of the session's state.
    #[must_use]
    pub fn after(self, state: State, why: Why) -> Self {
        match (state, why) {
            (State::Up, _) => Self::Up,
            (_, Why::PeerAdminDown | Why::Disabled) => Self::Held,
            // An attempt that came to nothing.
            (_, Why::DetectionTimeExpired) if self != Self::Up => self,
            (_, why) if why.is_failure() => Self::Failed(why),
            (State::AdminDown | State::Down | State::Init, _) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, State, Why};

    #[test]
    fn failures_fail_and_what_is_held_down_stands() {
        let after = |standing: Standing, state, why| standing.after(state, why);
        let up = Standing::Up;
        let failed = Standing::Failed(Why::DetectionTimeExpired);
        assert_eq!(after(up, State::Down, Why::DetectionTimeExpired), failed);
        assert_eq!(after(up, State::Down, Why::PeerAdminDown), Standing::Held);
        assert_eq!(after(up, State::AdminDown, Why::Disabled), Standing::Held);
        assert_eq!(after(failed, State::Init, Why::Heard), failed);
        assert_eq!(after(failed, State::Up, Why::Established), up);
        let held = Standing::Held;
        assert_eq!(after(held, State::Init, Why::Heard), held, "it comes back");
        assert_eq!(after(held, State::Up, Why::Established), up);
    }

    #[test]
    fn a_first_attempt_that_comes_to_nothing_is_still_the_beginning() {
        let begin = Standing::Beginning;
        assert_eq!(begin.after(State::Init, Why::Heard), begin);
        let expired = begin.after(State::Down, Why::DetectionTimeExpired);
        assert_eq!(expired, begin);
    }
}
