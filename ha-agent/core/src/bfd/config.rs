//! What the operator decides about one session.

use core::num::NonZeroU8;

use super::timers::{Micros, Terms};

/// How a session is held. A change comes in with [`Input::Configure`](super::Input::Configure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The least time between own packets while the session is Up; a second at least while it is not.
    pub desired_min_tx: Micros,
    /// The least time between packets that this node can take.
    pub required_min_rx: Micros,
    /// Own packets that may be lost in a row before the other system takes this one for down.
    pub detect_mult: NonZeroU8,
    /// Says nothing before the other system has (RFC 5880 section 6.1).
    pub is_passive: bool,
    /// The least time between the other system's echo packets that this node can loop; zero for none.
    pub required_min_echo_rx: Micros,
    /// How often to send echo packets, if at all and if the other system loops them that often.
    pub echo_interval: Option<Micros>,
}

impl Config {
    /// What is told to the other system.
    ///
    /// Not Up: no more than one packet a second (RFC 5880 section 6.8.3). With the echo function, which then
    /// is what detects, one a second is enough (the same section).
    pub(super) fn terms(&self, is_up: bool, has_echo: bool) -> Terms {
        let at_least_a_second = |when: bool, interval: Micros| {
            if when {
                interval.max(Micros::SECOND)
            } else {
                interval
            }
        };
        Terms {
            // Zero is reserved (RFC 5880 section 4.1).
            desired_min_tx: at_least_a_second(!is_up, self.desired_min_tx.max(Micros::MIN)),
            required_min_rx: at_least_a_second(has_echo, self.required_min_rx),
        }
    }
}
