//! The thread of the sessions: it reads, then looks at the timers, then sleeps.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
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

pub(super) struct Runner {
    origin: Instant,
    sessions: Vec<Session>,
    numbers: HashMap<NonZeroU32, usize>,
    listeners: Vec<Listener>,
    discards: Discards,
    news: mpsc::UnboundedSender<News>,
    views: Views,
    shown: Time,
    stop: Arc<AtomicBool>,
    wake: Arc<EventFd>,
}

impl Runner {
    pub(super) fn new(
        sessions: Vec<Session>,
        listeners: Vec<Listener>,
        news: mpsc::UnboundedSender<News>,
        views: Views,
        stop: Arc<AtomicBool>,
        wake: Arc<EventFd>,
    ) -> Self {
        let places = sessions.iter().enumerate();
        Self {
            origin: Instant::now(),
            numbers: places.map(|(n, s)| (s.discriminator(), n)).collect(),
            sessions,
            listeners,
            discards: Discards::new("a BFD packet"),
            news,
            views,
            shown: Time::default(),
            stop,
            wake,
        }
    }

    pub(super) fn run(mut self) {
        keeper::raise_priority("BFD");
        self.all(Input::Start);
        while !self.stop.load(Ordering::Acquire) {
            // The clock before the sockets: see `Input::Timer`.
            let now = self.now();
            let mut has_news = self.read();
            has_news |= self.run_timers(now);
            self.show(has_news);
            self.sleep();
        }
        self.all(Input::Disable);
    }

    fn now(&self) -> Time {
        Time::from_origin(self.origin.elapsed())
    }

    fn all(&mut self, input: Input) {
        for place in 0..self.sessions.len() {
            let now = self.now();
            let news = self.sessions[place].input(place, now, input);
            self.tell(news);
        }
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
                let news = self.sessions[place].received(place, now, packet);
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
                let news = session.input(place, now, Input::Timer);
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
