//! One session (RFC 5880 section 6.8): its variables, and how they move.

use core::{
    num::{NonZeroU8, NonZeroU32},
    time::Duration,
};

use ha_common::wire::bfd::{Diagnostic, State};

use super::{
    config::Config,
    echo::Echo,
    fsm::{self, Event},
    input::{Command, Input},
    packet::Packet,
    poll::Poll,
    timers::{Micros, detection_time, jittered},
};
use crate::time::Time;

/// A session with one system over one interface and one address family.
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    /// `bfd.LocalDiscr`.
    discriminator: NonZeroU32,
    is_started: bool,
    /// `bfd.SessionState`.
    state: State,
    /// `bfd.LocalDiag`.
    diagnostic: Diagnostic,
    /// `bfd.DesiredMinTxInterval` and `bfd.RequiredMinRxInterval`.
    poll: Poll,
    /// What the other system said last, from which all `bfd.Remote*` are, and when; `None` when that is
    /// longer ago than a Detection Time.
    heard: Option<(Time, Packet)>,
    sent: Option<Sent>,
    echo: Option<Echo>,
}

/// The last packet that was not an answer to a Poll.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Time,
    /// By how much the next one comes early.
    random: u32,
}

impl Session {
    /// A session that is Down until [`Input::Start`]. `discriminator` is its number, which no other session
    /// of this node has.
    #[must_use]
    pub fn new(discriminator: NonZeroU32, config: Config) -> Self {
        Self {
            config,
            discriminator,
            is_started: false,
            state: State::Down,
            diagnostic: Diagnostic::None,
            poll: Poll::new(config.terms(false, false)),
            heard: None,
            sent: None,
            echo: None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn discriminator(&self) -> NonZeroU32 {
        self.discriminator
    }

    /// Its state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Why it last left Up, as the other system is told.
    #[must_use]
    pub const fn diagnostic(&self) -> Diagnostic {
        self.diagnostic
    }

    /// What the other system said last, unless it has been silent for a Detection Time.
    #[must_use]
    pub fn remote(&self) -> Option<&Packet> {
        self.heard.as_ref().map(|(_, packet)| packet)
    }

    /// The time between own packets, without jitter (RFC 5880 section 6.8.2).
    #[must_use]
    pub fn transmit_interval(&self) -> Duration {
        let remote = self.remote().map_or(Micros::MIN, |r| r.required_min_rx);
        self.poll.in_force().desired_min_tx.max(remote).duration()
    }

    /// The silence that is a failure; `None` while the other system is not heard.
    #[must_use]
    pub fn detection_time(&self) -> Option<Duration> {
        let remote = self.remote()?;
        Some(detection_time(
            remote.detect_mult,
            self.poll.in_force().required_min_rx,
            remote.desired_min_tx,
        ))
    }

    /// Whether echo packets are sent.
    #[must_use]
    pub const fn has_echo(&self) -> bool {
        self.echo.is_some()
    }

    /// When the session wants [`Input::Timer`]; `None` while it waits for nothing.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        let echo = self.echo.as_ref().map(Echo::deadline);
        [self.expiry(), self.next_transmission(), echo]
            .into_iter()
            .flatten()
            .min()
    }

    /// Takes an input at `now` and returns what is to be done, in order. `random` is a new number each time,
    /// from all of the range.
    #[must_use]
    pub fn handle(&mut self, now: Time, random: u32, input: Input) -> Vec<Command> {
        if !self.is_started && input != Input::Start {
            return Vec::new();
        }
        let mut commands = Vec::new();
        let mut is_poll = false;
        let is_tick = matches!(input, Input::Start | Input::Timer);
        let changed = match input {
            Input::Start => {
                self.is_started = true;
                false
            }
            Input::Timer => self.run_out(now, &mut commands),
            Input::Packet(packet) => {
                is_poll = packet.is_poll;
                self.heard = Some((now, packet));
                self.poll.received(packet.is_final);
                self.step(Event::Received(packet.state), &mut commands)
            }
            Input::Disable => self.step(Event::Disable, &mut commands),
            Input::Enable => self.step(Event::Enable, &mut commands),
            Input::Configure(config) => {
                self.config = config;
                false
            }
            Input::EchoReturned { sequence } => {
                self.with_echo(|echo| echo.returned(sequence));
                false
            }
            Input::EchoUnsent { sequence } => {
                self.with_echo(|echo| echo.unsent(sequence));
                false
            }
        };
        self.update_echo(now);
        let is_up = self.state == State::Up;
        let wanted = self.config.terms(is_up, self.has_echo());
        self.poll.want(wanted, is_up);
        if is_poll {
            // At once, whatever else is due (RFC 5880 section 6.8.7).
            commands.push(Command::Send(self.packet(true)));
        } else if self.may_send() && (changed || (is_tick && self.is_due(now))) {
            commands.push(Command::Send(self.packet(false)));
            if self.poll.is_asking() {
                self.poll.ask();
            }
            self.sent = Some(Sent { at: now, random });
        }
        if is_tick && let Some(sequence) = self.echo.as_mut().and_then(|echo| echo.send(now)) {
            commands.push(Command::SendEcho { sequence });
        }
        commands
    }

    /// What has not come in time; whether the state has changed.
    fn run_out(&mut self, now: Time, commands: &mut Vec<Command>) -> bool {
        let mult = self.config.detect_mult.get();
        if self.expiry().is_some_and(|expiry| expiry <= now) {
            // Only now is the other system's number forgotten (RFC 5880 section 6.8.1).
            self.heard = None;
            self.step(Event::DetectionTimeExpired, commands)
        } else if self
            .echo
            .as_ref()
            .is_some_and(|echo| echo.has_failed(now, mult))
        {
            self.step(Event::EchoFailed, commands)
        } else {
            false
        }
    }

    /// Moves the state; whether it has changed.
    fn step(&mut self, event: Event, commands: &mut Vec<Command>) -> bool {
        let Some(transition) = fsm::next(self.state, event) else {
            return false;
        };
        self.state = transition.state;
        self.diagnostic = transition.diagnostic.unwrap_or(self.diagnostic);
        commands.push(Command::Changed {
            state: self.state,
            diagnostic: self.diagnostic,
            why: transition.why,
        });
        true
    }

    fn with_echo(&mut self, act: impl FnOnce(&mut Echo)) {
        if let Some(echo) = &mut self.echo {
            act(echo);
        }
    }

    /// Begins or ends the echo function (RFC 5880 section 6.8.9).
    fn update_echo(&mut self, now: Time) {
        let remote = self.remote().map(|r| r.required_min_echo_rx);
        let interval = match (self.state, self.config.echo_interval, remote) {
            (State::Up, Some(own), Some(remote)) if remote != Micros::ZERO => {
                own.max(remote).duration()
            }
            (State::AdminDown | State::Down | State::Init | State::Up, _, _) => {
                self.echo = None;
                return;
            }
        };
        match &mut self.echo {
            Some(echo) => echo.set_interval(now, interval),
            None => self.echo = Some(Echo::start(now, interval)),
        }
    }

    /// When the other system has been silent for too long.
    fn expiry(&self) -> Option<Time> {
        let (at, _) = self.heard?;
        Some(at + self.detection_time()?)
    }

    /// Whether anything may be sent but an answer.
    fn may_send(&self) -> bool {
        !(self.config.is_passive && self.heard.is_none())
    }

    /// When the next periodic packet is due; `None` if none is to be sent (RFC 5880 section 6.8.7).
    fn next_transmission(&self) -> Option<Time> {
        let is_unwanted = self.remote().is_some_and(|remote| {
            let is_demand =
                remote.is_demand && self.state == State::Up && remote.state == State::Up;
            remote.required_min_rx == Micros::ZERO || (is_demand && !self.poll.is_asking())
        });
        if !self.is_started || !self.may_send() || is_unwanted {
            return None;
        }
        let mult = self.config.detect_mult;
        // Of the interval as it is now: a shorter one is honoured at once (section 6.8.3).
        Some(self.sent.map_or(Time::default(), |sent| {
            sent.at + jittered(self.transmit_interval(), mult, sent.random)
        }))
    }

    fn is_due(&self, now: Time) -> bool {
        self.next_transmission().is_some_and(|due| due <= now)
    }

    /// A packet with the present contents (RFC 5880 section 6.8.7).
    fn packet(&self, is_final: bool) -> Packet {
        let told = self.poll.told();
        let detect_mult: NonZeroU8 = self.config.detect_mult;
        Packet {
            diagnostic: Some(self.diagnostic),
            state: self.state,
            is_poll: !is_final && self.poll.is_asking(),
            is_final,
            is_demand: false,
            detect_mult,
            my_discriminator: self.discriminator,
            your_discriminator: self.remote().map(|remote| remote.my_discriminator),
            desired_min_tx: told.desired_min_tx,
            required_min_rx: told.required_min_rx,
            required_min_echo_rx: self.config.required_min_echo_rx,
        }
    }
}
