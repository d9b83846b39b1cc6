//! The agent beside FRR's `bfdd`: sessions, timers, failures and echo packets.
//!
//! * [`table`]: the cases;
//! * [`timers`]: what both sides are told, and what they must agree on;
//! * [`play`]: the story of a case; [`failures`] and [`echo`]: those of failures and of echo packets;
//! * [`stage`]: both sides on their nodes;
//! * [`window`]: part of a capture, to count in;
//! * [`verdict`]: what was found, and what is wrong with it.

mod echo;
mod failures;
mod play;
mod stage;
mod table;
mod timers;
mod verdict;
mod window;

use std::path::Path;

use anyhow::{Context, Result};

pub use self::{table::CASES, verdict::Verdict};

/// Which version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6, between link-local addresses.
    V6,
}

/// Who waits for the other to begin (RFC 5880 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passive {
    Nobody,
    Ours,
    Theirs,
}

/// What happens once the session is Up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// Nothing: numbers are compared, packets counted.
    Agreement,
    /// Theirs changes its timers.
    Poll,
    /// Theirs is held down, and let go.
    HeldDown,
    /// Ours is stopped cleanly, and comes back.
    Stopped,
    /// Theirs hangs, and goes on.
    TheirsHangs,
    /// Ours hangs, and goes on.
    OursHangs,
    /// Echo packets come back.
    Echo,
    /// Ours does not want echo packets.
    EchoRefused,
    /// Ours sends echo packets, and their host forwards.
    EchoOurs,
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    family: Family,
    passive: Passive,
    /// Whether theirs would like to send echo packets.
    echo: bool,
    story: Story,
}

impl Case {
    /// Plays it in a lab of its own.
    ///
    /// # Errors
    ///
    /// When it cannot be played.
    pub fn run(&self, agent: &Path) -> Result<Verdict> {
        play::play(self, agent).with_context(|| format!("playing {}", self.name))
    }
}
