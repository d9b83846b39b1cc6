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

mod runner;
mod session;
mod socket;
mod standing;
mod view;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use ha_core::bfd::{Diagnostic, Micros, State, Why};
use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::{mpsc, watch};

use self::{runner::Runner, session::Session, socket::Listener, view::Views};
pub use self::{standing::Standing, view::View};
use crate::config;

/// A session of the configuration, and the interface that it runs over.
#[derive(Clone, Debug)]
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
    /// Its place in the configuration.
    pub session: usize,
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
    standings: Standings,
    views: Views,
    news: mpsc::UnboundedReceiver<News>,
    stop: Arc<AtomicBool>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Bfd {
    /// Begins to speak with the routers.
    ///
    /// # Errors
    /// If a socket or the thread cannot be had.
    pub fn start(routers: Vec<Router>) -> Result<Self> {
        let mut listeners: Vec<Listener> = Vec::new();
        for Router { session, ifindex } in &routers {
            let is_v4 = session.address.is_ipv4();
            if !listeners.iter().any(|l| l.serves(*ifindex, is_v4)) {
                listeners.push(Listener::open(&session.interface, *ifindex, is_v4)?);
            }
        }
        let (sender, news) = mpsc::unbounded_channel();
        let (tellers, standings): (Vec<_>, Vec<_>) = routers
            .iter()
            .map(|_| watch::channel(Standing::Beginning))
            .unzip();
        let mut sessions = Vec::new();
        for (router, teller) in routers.iter().zip(tellers) {
            let taken: Vec<_> = sessions.iter().map(Session::discriminator).collect();
            sessions.push(Session::open(router, &taken, teller)?);
        }
        let views = Views::new(sessions.iter().map(Session::view));
        let stop = Arc::new(AtomicBool::new(false));
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake = EventFd::from_flags(flags).context("cannot make an eventfd")?;
        let wake = Arc::new(wake);
        let runner = Runner::new(
            sessions,
            listeners,
            sender,
            views.clone(),
            Arc::clone(&stop),
            Arc::clone(&wake),
        );
        let thread = if routers.is_empty() {
            None
        } else {
            let thread = thread::Builder::new().name("bfd".to_owned());
            let thread = thread.spawn(move || runner.run());
            Some(thread.context("cannot start the thread of the BFD sessions")?)
        };
        Ok(Self {
            routers,
            standings,
            views,
            news,
            stop,
            wake,
            thread,
        })
    }

    /// Waits for the next change of a session.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // The thread has ended, or there are no sessions.
            None => std::future::pending().await,
        }
    }

    /// What was configured for the session at this place.
    #[must_use]
    pub fn configured(&self, session: usize) -> &config::Bfd {
        &self.routers[session].session
    }

    /// All sessions as they are now.
    pub fn views(&self) -> impl Iterator<Item = (&config::Bfd, View)> {
        let sessions = self.routers.iter().map(|router| &router.session);
        sessions.zip(self.views.read())
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
