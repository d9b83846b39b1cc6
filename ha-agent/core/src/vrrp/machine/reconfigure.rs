//! A changed configuration, taken over while the election goes on.

use core::{mem, time::Duration};

use super::{Machine, State};
use crate::{election::Command, time::Time, vrrp::config::VrrpConfig};

/// Advertisements that tell a raised interval at the pace of the old one.
const ROUNDS: u8 = 4;

/// A raised interval of which not everybody may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Eager {
    /// The pace that everybody reckons with.
    pause: Duration,
    /// Advertisements that are still made at that pace.
    left: u8,
}

impl Machine {
    /// Takes over what may be changed. Timers that run by what others said run on.
    pub(super) fn reconfigure(&mut self, now: Time, config: VrrpConfig) -> Vec<Command> {
        if self.config == config {
            return Vec::new();
        }
        let before = mem::replace(&mut self.config, config);
        let pause = self.eager.map_or_else(
            || before.advert_interval.duration(),
            |eager| eager.pause.min(before.advert_interval.duration()),
        );
        let is_raised = pause < self.config.advert_interval.duration();
        self.eager = is_raised.then_some(Eager {
            pause,
            left: ROUNDS,
        });
        // Who is no peer any more is neither followed nor waited for.
        let mut peers = mem::take(&mut self.peers);
        peers.keep(|peer| self.concerns(peer));
        self.peers = peers;
        let is_told = before.advert_interval != self.config.advert_interval
            || before.peers != self.config.peers
            || before.primary != self.config.primary;
        match self.state {
            State::Active(_) if is_told => self.active_timer(now),
            State::Claiming(_) if is_told => vec![self.advertise()],
            State::Initialize | State::Backup(_) | State::Claiming(_) | State::Active(_) => {
                Vec::new()
            }
        }
    }

    /// Until the next advertisement.
    pub(super) fn pause(&mut self) -> Duration {
        let interval = self.config.advert_interval.duration();
        let Some(eager) = &mut self.eager else {
            return interval;
        };
        let pause = eager.pause.min(interval);
        eager.left -= 1;
        if eager.left == 0 {
            self.eager = None;
        }
        pause
    }
}
