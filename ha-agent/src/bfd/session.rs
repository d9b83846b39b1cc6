//! A session with its socket, and what is known about it.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher as _, Hasher as _},
    net::IpAddr,
    num::NonZeroU32,
    time::{Instant, SystemTime},
};

use anyhow::Result;
use ha_core::{
    bfd::{self, Command, Discard, Input, Packet, State},
    time::Time,
};
use tokio::sync::watch;

use super::{News, Router, Standing, View, socket::Sender};

/// How often it is logged at most that packets do not leave.
const QUIET: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) ifindex: u32,
    machine: bfd::Session,
    sender: Sender,
    teller: watch::Sender<Standing>,
    since: SystemTime,
    ups: u64,
    received: u64,
    sent: u64,
    discards: BTreeMap<&'static str, u64>,
    /// When it was last logged that a packet did not leave.
    complained: Option<Instant>,
}

impl Session {
    /// A session that has not started, with a number that is none of `taken`.
    ///
    /// # Errors
    /// If its socket cannot be had.
    pub(super) fn open(
        router: &Router,
        taken: &[NonZeroU32],
        teller: watch::Sender<Standing>,
    ) -> Result<Self> {
        Ok(Self {
            name: router.session.name.clone(),
            address: router.session.address,
            ifindex: router.ifindex,
            machine: bfd::Session::new(discriminator(taken), router.session.session),
            sender: Sender::open(router)?,
            teller,
            since: SystemTime::now(),
            ups: 0,
            received: 0,
            sent: 0,
            discards: BTreeMap::new(),
            complained: None,
        })
    }

    pub(super) fn discriminator(&self) -> NonZeroU32 {
        self.machine.discriminator()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.machine.deadline()
    }

    /// Hands an input in and does what comes of it; the change of state if there is one. `place` is the
    /// session's in the configuration.
    pub(super) fn input(&mut self, place: usize, now: Time, input: Input) -> Option<News> {
        let mut news = None;
        for command in self.machine.handle(now, fastrand::u32(..), input) {
            match command {
                Command::Changed {
                    state,
                    diagnostic,
                    why,
                } => {
                    self.since = SystemTime::now();
                    self.ups += u64::from(state == State::Up);
                    self.tell(|standing| standing.after(state, why));
                    news = Some(News {
                        session: place,
                        state,
                        diagnostic,
                        why,
                    });
                }
                Command::Send(packet) => self.send(&packet),
                // Not configured: there is no echo interval.
                Command::SendEcho { .. } => {}
            }
        }
        news
    }

    /// A packet of the router.
    pub(super) fn received(&mut self, place: usize, now: Time, packet: Packet) -> Option<News> {
        self.received += 1;
        if packet.state == State::AdminDown {
            self.tell(|standing| match standing {
                // It never was Up, and its operator does not want it to be.
                Standing::Beginning => Standing::Held,
                Standing::Up | Standing::Failed(_) | Standing::Held => standing,
            });
        }
        self.input(place, now, Input::Packet(packet))
    }

    /// A packet of the router was discarded.
    pub(super) fn discarded(&mut self, why: Discard) {
        *self.discards.entry(why.name()).or_default() += 1;
    }

    pub(super) fn view(&self) -> View {
        View {
            state: self.machine.state(),
            diagnostic: self.machine.diagnostic(),
            discriminator: self.discriminator(),
            remote: self.machine.remote().copied(),
            transmit_interval: self.machine.transmit_interval(),
            detection_time: self.machine.detection_time(),
            since: self.since,
            ups: self.ups,
            received: self.received,
            sent: self.sent,
            discards: self.discards.clone(),
        }
    }

    fn tell(&self, standing: impl FnOnce(Standing) -> Standing) {
        self.teller.send_if_modified(|now| {
            let before = *now;
            *now = standing(before);
            *now != before
        });
    }

    fn send(&mut self, packet: &Packet) {
        match self.sender.send(&packet.encode()) {
            Ok(()) => {
                self.sent += 1;
                self.complained = None;
            }
            Err(error) => {
                let is_news = self.complained.is_none_or(|at| at.elapsed() >= QUIET);
                if is_news {
                    self.complained = Some(Instant::now());
                    let Self { name, address, .. } = self;
                    tracing::warn!(session = %name, "cannot send to {address}: {error}");
                }
            }
        }
    }
}

/// A number that is none of `taken`, and that nobody can guess (RFC 5880 section 9).
fn discriminator(taken: &[NonZeroU32]) -> NonZeroU32 {
    loop {
        // The standard library has its keys from the kernel.
        let random = RandomState::new().build_hasher().finish() as u32;
        if let Some(number) = NonZeroU32::new(random).filter(|n| !taken.contains(n)) {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::discriminator;

    #[test]
    fn numbers_are_taken_once() {
        let mut taken = Vec::new();
        for _ in 0..1_000 {
            let number = discriminator(&taken);
            assert!(!taken.contains(&number));
            taken.push(number);
        }
    }
}
