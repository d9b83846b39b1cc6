//! Sessions of plain BFD (RFC 5880, 5881) with routers, which watch this host, and it them.
//!
//! ```text
//!   router ── UDP 3784 ──► listener ──► session (ha_core::bfd) ──► sender ──► router
//!                                          │
//!                    news for the engine ◄─┴─► standing for a check
//! ```
//!
//! One thread has all sockets and timers. It says that the host and the agent are there, not which groups are
//! Active: that is the election's.

mod echo;
mod runner;
mod session;
mod socket;
mod standing;
mod view;

use std::num::NonZeroU32;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
    mpsc::{Sender, channel},
};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use ha_core::bfd::{Diagnostic, Micros, State, Why};
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::{mpsc, watch};

use self::{
    runner::{Change, Runner, Seat},
    session::Session,
    socket::Listener,
    view::Views,
};
pub use self::{standing::Standing, view::View};
use crate::config;

/// A session of the configuration, and the interface that it runs over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    /// What was configured.
    pub session: config::Bfd,
    /// Index of the interface.
    pub ifindex: u32,
}

impl Router {
    /// Whether the router is told that it may send echo packets (RFC 5880 section 6.8.9: zero says that it may
    /// not).
    #[must_use]
    pub fn takes_echo(&self) -> bool {
        self.session.session.required_min_echo_rx != Micros::ZERO
    }
}

/// A session has changed its state.
#[derive(Clone, Copy, Debug)]
pub struct News {
    /// Its number here.
    pub session: NonZeroU32,
    /// What it is now.
    pub state: State,
    /// What the router is told about it.
    pub diagnostic: Diagnostic,
    /// Why.
    pub why: Why,
}

/// What checks listen to: the standing of each session.
pub type Standings = Vec<watch::Receiver<Standing>>;

/// All sessions, running. On drop they are held down, and the routers are told.
#[derive(Debug)]
pub struct Bfd {
    routers: Vec<Router>,
    /// The sessions' numbers.
    numbers: Vec<NonZeroU32>,
    standings: Standings,
    views: Views,
    news: mpsc::UnboundedReceiver<News>,
    teller: mpsc::UnboundedSender<News>,
    changes: Option<Sender<Change>>,
    stop: Arc<AtomicBool>,
    wake: Arc<EventFd>,
    /// `None` while there was never a session.
    thread: Option<JoinHandle<()>>,
}

/// Other sessions than now, with their sockets.
#[derive(Debug)]
pub struct Prepared {
    routers: Vec<Router>,
    seats: Vec<Seat>,
    listeners: Vec<Listener>,
    standings: Standings,
}

impl Prepared {
    /// What checks are to listen to.
    #[must_use]
    pub fn standings(&self) -> Standings {
        self.standings.clone()
    }
}

impl Bfd {
    /// Speaks with nobody yet.
    ///
    /// # Errors
    /// If there is no event to wake the thread with.
    pub fn new() -> Result<Self> {
        let (teller, news) = mpsc::unbounded_channel();
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake = EventFd::from_flags(flags).context("cannot make an eventfd")?;
        Ok(Self {
            routers: Vec::new(),
            numbers: Vec::new(),
            standings: Vec::new(),
            views: Views::default(),
            news,
            teller,
            changes: None,
            stop: Arc::new(AtomicBool::new(false)),
            wake: Arc::new(wake),
            thread: None,
        })
    }

    /// Opens what sessions with these routers need, and is not there yet. A session that is as it was goes on.
    ///
    /// # Errors
    /// If a socket cannot be had.
    pub fn prepare(&self, routers: Vec<Router>) -> Result<Prepared> {
        let mut listeners: Vec<Listener> = Vec::new();
        for Router { session, ifindex } in &routers {
            let is_v4 = session.address.is_ipv4();
            let mut served = self.routers.iter();
            let is_served =
                served.any(|old| old.ifindex == *ifindex && old.session.address.is_ipv4() == is_v4);
            if !is_served && !listeners.iter().any(|l| l.serves(*ifindex, is_v4)) {
                listeners.push(Listener::open(&session.interface, *ifindex, is_v4)?);
            }
        }
        let mut taken = self.numbers.clone();
        let (mut seats, mut standings) = (Vec::new(), Vec::new());
        for router in &routers {
            let kept = self.routers.iter().position(|old| old == router);
            let (seat, standing) = match kept {
                Some(place) => (
                    Seat::Kept(self.numbers[place]),
                    self.standings[place].clone(),
                ),
                None => {
                    let (teller, standing) = watch::channel(Standing::Beginning);
                    let session = Session::open(router, &taken, teller)?;
                    taken.push(session.discriminator());
                    (Seat::New(Box::new(session)), standing)
                }
            };
            seats.push(seat);
            standings.push(standing);
        }
        Ok(Prepared {
            routers,
            seats,
            listeners,
            standings,
        })
    }

    /// Has these sessions from now on. Others are held down, and their routers are told.
    ///
    /// # Errors
    /// If the thread cannot be had.
    pub fn set(&mut self, prepared: Prepared) -> Result<()> {
        let Prepared {
            routers,
            seats,
            listeners,
            standings,
        } = prepared;
        self.routers = routers;
        self.numbers = seats.iter().map(Seat::number).collect();
        self.standings = standings;
        let change = Change { seats, listeners };
        if let Some(changes) = &self.changes {
            // The thread ends with this only.
            let _ = changes.send(change);
            let _ = self.wake.write(1);
            return Ok(());
        }
        if self.routers.is_empty() {
            return Ok(());
        }
        let (sender, changes) = channel();
        let runner = Runner::new(
            change,
            changes,
            self.teller.clone(),
            self.views.clone(),
            Arc::clone(&self.stop),
            Arc::clone(&self.wake),
        );
        let thread = thread::Builder::new().name("bfd".to_owned());
        let thread = thread.spawn(move || runner.run());
        self.thread = Some(thread.context("cannot start the thread of the BFD sessions")?);
        self.changes = Some(sender);
        Ok(())
    }

    /// Waits for the next change of a session.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // Never: the other end is kept beside this one.
            None => std::future::pending().await,
        }
    }

    /// What was configured for the session with this number; `None` if it has been given up.
    #[must_use]
    pub fn configured(&self, session: NonZeroU32) -> Option<&config::Bfd> {
        let place = self.numbers.iter().position(|number| *number == session);
        Some(&self.routers[place?].session)
    }

    /// All sessions as they are now; one that has just begun is not shown yet.
    pub fn views(&self) -> impl Iterator<Item = (&config::Bfd, View)> {
        let views = self.views.read();
        let sessions = self.routers.iter().zip(&self.numbers);
        sessions.filter_map(move |(router, number)| {
            let mut views = views.iter();
            let view = views.find(|view| view.discriminator == *number)?;
            Some((&router.session, view.clone()))
        })
    }

    /// What checks listen to.
    #[must_use]
    pub fn standings(&self) -> Standings {
        self.standings.clone()
    }
}

impl Drop for Bfd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // If it cannot be woken it wakes up by itself, a little later.
        let _ = self.wake.write(1);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported already.
            let _ = thread.join();
        }
    }
}
