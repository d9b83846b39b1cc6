//! The agent beside other makers' VRRP routers: who is Active when, and what it costs the client.
//!
//! * [`table`]: the cases;
//! * [`peer`]: the other router, started and stopped in the ways that it has;
//! * [`play`]: the story of a case;
//! * [`verdict`]: what is expected of each of its phases.

mod peer;
mod play;
mod table;
mod verdict;

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

pub use self::{peer::Maker, table::CASES, verdict::Verdict};

/// A router's part in a case.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    priority: u8,
    /// Time between its advertisements, milliseconds.
    interval: u64,
}

impl Side {
    const fn interval(self) -> Duration {
        Duration::from_millis(self.interval)
    }
}

/// Which version of IP, and of VRRP over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Version 2, over IPv4.
    V2,
    /// Version 3 over IPv4.
    V3,
    /// Version 3 over IPv6.
    V3Ipv6,
}

/// Who is to be Active while both live, and so how the story goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// Ours preempts theirs, stops, comes back, dies.
    OursPreferred,
    /// Theirs preempts ours, stops, comes back, dies.
    TheirsPreferred,
    /// Both are Active because they did not hear each other; then they meet.
    Meeting {
        /// Whether ours has the greater address.
        ours_wins: bool,
    },
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    maker: Maker,
    protocol: Protocol,
    unicast: bool,
    ours: Side,
    theirs: Side,
    /// `checksum` of our election.
    checksum: &'static str,
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
