//! The thread of the sessions: it reads, then looks at the timers, then sleeps.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    time::{Duration, Instant},
};

use ha_core::{
    bfd::{Discard, Input, Key, Packet},
    time::Time,
};
use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::{eventfd::EventFd, time::TimeSpec},
};
use tokio::sync::mpsc;

use super::{News, Session, Views, socket::Listener};
use crate::{discards::Discards, keeper};

/// How long the thread sleeps at most.
const NAP: Duration = Duration::from_millis(100);
/// How often it shows how things are, when nothing has changed.
const SHOWS: Duration = Duration::from_millis(50);
/// Datagrams of an interface that are read before timers have their turn: more than the kernel keeps. Who sends
/// faster than they are read delays the own packets, but does not stop them.
const MOST: usize = 4_096;
/// A control packet, and what may follow it.
const BUFFER: usize = 256;

/// A session among those that there are to be.
#[derive(Debug)]
pub(super) enum Seat {
    /// As it is, by its number.
    Kept(NonZeroU32),
    /// From now on.
    New(Box<Session>),
}

impl Seat {
    pub(super) fn number(&self) -> NonZeroU32 {
        match self {
            Self::Kept(number) => *number,
            Self::New(session) => session.discriminator(),
        }
    }
}

/// Other sessions.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) seats: Vec<Seat>,
    /// More listeners.
    pub(super) listeners: Vec<Listener>,
}

pub(super) struct Runner {
    origin: Instant,
    sessions: Vec<Session>,
    numbers: HashMap<NonZeroU32, usize>,
    listeners: Vec<Listener>,
    changes: Receiver<Change>,
    discards: Discards,
    news: mpsc::UnboundedSender<News>,
    views: Views,
    shown: Time,
    stop: Arc<AtomicBool>,
    wake: Arc<EventFd>,
}

impl Runner {
    pub(super) fn new(
        first: Change,
        changes: Receiver<Change>,
        news: mpsc::UnboundedSender<News>,
        views: Views,
        stop: Arc<AtomicBool>,
        wake: Arc<EventFd>,
    ) -> Self {
        let mut runner = Self {
            origin: Instant::now(),
            numbers: HashMap::new(),
            sessions: Vec::new(),
            listeners: Vec::new(),
            changes,
            discards: Discards::new("a BFD packet"),
            news,
            views,
            shown: Time::default(),
            stop,
            wake,
        };
        runner.follow(first);
        runner
    }

    pub(super) fn run(mut self) {
        keeper::raise_priority("BFD");
        loop {
            // Before it is looked at what the thread was woken for.
            let _ = self.wake.read();
            if self.stop.load(Ordering::Acquire) {
                break;
            }
            while let Ok(change) = self.changes.try_recv() {
                self.follow(change);
            }
            // The clock before the sockets: see `Input::Timer`.
            let now = self.now();
            let mut has_news = self.read();
            has_news |= self.run_timers(now);
            self.show(has_news);
            self.sleep();
        }
        for place in 0..self.sessions.len() {
            self.input(place, Input::Disable);
        }
    }

    /// Takes over other sessions, starts those that are new, and holds down those that go.
    fn follow(&mut self, change: Change) {
        let mut old: HashMap<_, _> = std::mem::take(&mut self.sessions)
            .into_iter()
            .map(|session| (session.discriminator(), session))
            .collect();
        let mut begun = Vec::new();
        for seat in change.seats {
            match seat {
                Seat::Kept(number) => self.sessions.extend(old.remove(&number)),
                Seat::New(session) => {
                    begun.push(self.sessions.len());
                    self.sessions.push(*session);
                }
            }
        }
        for mut session in old.into_values() {
            let news = session.input(self.now(), Input::Disable);
            self.tell(news);
        }
        let places = self.sessions.iter().enumerate();
        self.numbers = places.map(|(n, s)| (s.discriminator(), n)).collect();
        self.listeners.extend(change.listeners);
        let sessions = &self.sessions;
        self.listeners.retain(|listener| {
            let mut sessions = sessions.iter();
            sessions.any(|s| listener.serves(s.ifindex, s.address.is_ipv4()))
        });
        for place in begun {
            self.input(place, Input::Start);
        }
        self.shown = Time::default();
    }

    fn now(&self) -> Time {
        Time::from_origin(self.origin.elapsed())
    }

    fn input(&mut self, place: usize, input: Input) {
        let now = self.now();
        let news = self.sessions[place].input(now, input);
        self.tell(news);
    }

    /// Takes everything that waits in the sockets; whether a state has changed.
    fn read(&mut self) -> bool {
        let mut has_news = false;
        let mut buffer = [0; BUFFER];
        for listener in 0..self.listeners.len() {
            for _ in 0..MOST {
                match self.listeners[listener].receive(&mut buffer) {
                    Ok(Some(datagram)) => {
                        let payload = &buffer[..datagram.len];
                        let from = datagram.from;
                        has_news |= self.packet(listener, from, payload, datagram.hop_limit);
                    }
                    Ok(None) => break,
                    Err(error) => {
                        let interface = &self.listeners[listener].interface;
                        tracing::debug!(%interface, "cannot receive BFD: {error}");
                        break;
                    }
                }
            }
        }
        for place in 0..self.sessions.len() {
            let now = self.now();
            self.sessions[place].read_echoes(now);
        }
        has_news
    }

    fn packet(&mut self, listener: usize, from: IpAddr, payload: &[u8], hop_limit: u8) -> bool {
        let Listener {
            ifindex, interface, ..
        } = &self.listeners[listener];
        let mut sessions = self.sessions.iter();
        let by_source = sessions.position(|s| s.ifindex == *ifindex && s.address == from);
        let decoded = Packet::decode(payload, hop_limit, |key| match key {
            Key::Discriminator(number) => self.numbers.get(&number).copied(),
            Key::Source => by_source,
        });
        match decoded {
            Ok((place, packet)) => {
                let now = self.now();
                let news = self.sessions[place].received(now, packet);
                self.tell(news)
            }
            Err(discard) => {
                let of = by_source.map_or(interface, |place| &self.sessions[place].name);
                self.discards.count(of, from, discard.name(), &discard);
                self.count(by_source, discard);
                false
            }
        }
    }

    fn count(&mut self, session: Option<usize>, discard: Discard) {
        if let Some(session) = session {
            self.sessions[session].discarded(discard);
        }
    }

    /// Whether a state has changed.
    fn run_timers(&mut self, now: Time) -> bool {
        let mut has_news = false;
        for place in 0..self.sessions.len() {
            let session = &mut self.sessions[place];
            if session.deadline().is_some_and(|deadline| deadline <= now) {
                let news = session.input(now, Input::Timer);
                has_news |= self.tell(news);
            }
        }
        has_news
    }

    fn tell(&self, news: Option<News>) -> bool {
        let Some(news) = news else {
            return false;
        };
        // The engine is gone only when the agent stops.
        let _ = self.news.send(news);
        true
    }

    fn show(&mut self, has_news: bool) {
        let now = self.now();
        if !has_news && now < self.shown + SHOWS {
            return;
        }
        // If it was being read, what has changed is shown in the next round.
        if self.views.write(self.sessions.iter().map(Session::view)) {
            self.shown = now;
        } else {
            self.shown = Time::default();
        }
    }

    /// Sleeps until the next timer, or until something comes.
    fn sleep(&self) {
        let next = self.sessions.iter().filter_map(Session::deadline).min();
        let nap = next.map_or(NAP, |next| next.since(self.now()).min(NAP));
        let sockets = self.listeners.iter().map(AsFd::as_fd);
        let echoes = self.sessions.iter().filter_map(Session::echo);
        let mut waited: Vec<_> = sockets
            .chain(echoes.map(AsFd::as_fd))
            .chain([self.wake.as_fd()])
            .map(|socket| PollFd::new(socket, PollFlags::POLLIN))
            .collect();
        // An error is an interruption: then there is one round more.
        let _ = ppoll(&mut waited, Some(TimeSpec::from_duration(nap)), None);
    }
}
