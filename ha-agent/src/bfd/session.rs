//! A session with its socket, and what is known about it.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    hash::{BuildHasher as _, Hasher as _},
    io,
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

use super::{News, Router, Standing, View, echo::Echo, socket::Sender};

/// How often it is logged at most that packets do not leave.
const QUIET: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) ifindex: u32,
    machine: bfd::Session,
    sender: Sender,
    /// `None` unless echo packets are to be sent.
    echo: Option<Echo>,
    teller: watch::Sender<Standing>,
    since: SystemTime,
    ups: u64,
    received: u64,
    sent: u64,
    echoes_sent: u64,
    echoes_returned: u64,
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
        let number = discriminator(taken);
        let has_echo = router.session.session.echo_interval.is_some();
        let echo = has_echo.then(|| Echo::open(router, number)).transpose()?;
        Ok(Self {
            name: router.session.name.clone(),
            address: router.session.address,
            ifindex: router.ifindex,
            machine: bfd::Session::new(number, router.session.session),
            sender: Sender::open(router)?,
            echo,
            teller,
            since: SystemTime::now(),
            ups: 0,
            received: 0,
            sent: 0,
            echoes_sent: 0,
            echoes_returned: 0,
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

    /// Hands an input in and does what comes of it; the change of state if there is one.
    pub(super) fn input(&mut self, now: Time, input: Input) -> Option<News> {
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
                    if let Some(echo) = &mut self.echo {
                        echo.forget_address();
                    }
                    news = Some(News {
                        session: self.discriminator(),
                        state,
                        diagnostic,
                        why,
                    });
                }
                Command::Send(packet) => self.send(&packet),
                Command::SendEcho { sequence } => self.send_echo(now, sequence),
            }
        }
        news
    }

    fn send_echo(&mut self, now: Time, sequence: u32) {
        let sent = self.echo.as_mut().map(|echo| echo.send(sequence));
        match sent {
            Some(Ok(())) => self.echoes_sent += 1,
            Some(Err(error)) => {
                self.complain(&error);
                self.unsent(now, sequence);
            }
            None => self.unsent(now, sequence),
        }
    }

    fn unsent(&mut self, now: Time, sequence: u32) {
        // Nothing comes of it but that it is not missed.
        let input = Input::EchoUnsent { sequence };
        let _ = self.machine.handle(now, 0, input);
    }

    /// What its echo packets come back to.
    pub(super) const fn echo(&self) -> Option<&Echo> {
        self.echo.as_ref()
    }

    /// Takes the echo packets that are back.
    pub(super) fn read_echoes(&mut self, now: Time) {
        for sequence in self.echo.as_ref().map(Echo::returned).unwrap_or_default() {
            self.echoes_returned += 1;
            let input = Input::EchoReturned { sequence };
            let _ = self.machine.handle(now, 0, input);
        }
    }

    /// A packet of the router.
    pub(super) fn received(&mut self, now: Time, packet: Packet) -> Option<News> {
        self.received += 1;
        if packet.state == State::AdminDown {
            self.tell(|standing| match standing {
                // It never was Up, and its operator does not want it to be.
                Standing::Beginning => Standing::Held,
                Standing::Up | Standing::Failed(_) | Standing::Held => standing,
            });
        }
        self.input(now, Input::Packet(packet))
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
            has_echo: self.machine.has_echo(),
            echoes_sent: self.echoes_sent,
            echoes_returned: self.echoes_returned,
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
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Something has not left.
    fn complain(&mut self, error: &io::Error) {
        if self.complained.is_none_or(|at| at.elapsed() >= QUIET) {
            self.complained = Some(Instant::now());
            let Self { name, address, .. } = self;
            tracing::warn!(session = %name, "cannot send to {address}: {error}");
        }
    }
}

/// A number that is none of `taken`, and that nobody can guess (RFC 5880 section 9).
fn discriminator(taken: &[NonZeroU32]) -> NonZeroU32 {
    loop {
        let random = NonZeroU32::new(unguessable() as u32);
        if let Some(number) = random.filter(|number| !taken.contains(number)) {
            return number;
        }
    }
}

/// A number that nobody can guess: the standard library has the keys of its hashes from the kernel.
pub(super) fn unguessable() -> u64 {
    RandomState::new().build_hasher().finish()
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
