//! The thread that probes, and compares stamps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use ha_common::wire::bfd::State;
use ha_core::{
    sbfd::{Heard, Session},
    time::Time,
    vrrp::Liveness,
};
use tokio::sync::mpsc;

use super::{Discriminator, News, Way, now, packet::Request, socket::Socket};
use crate::{config::Config, dataplane::Stamps, keeper};

/// How long the thread sleeps at most, so that it ends soon when it is to.
const NAP: Duration = Duration::from_millis(100);

/// The thread. Ends on drop.
#[derive(Debug)]
pub(super) struct Prober {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A way while it is probed.
struct Probed {
    name: String,
    node: Discriminator,
    session: Session,
    sequence: u8,
    socket: Arc<Socket>,
    /// The silence that is a loss.
    detection_time: Duration,
    /// The longest silence of which was warned.
    warned: Duration,
}

impl Prober {
    pub(super) fn start(
        config: &Config,
        ways: &[Way],
        sockets: &[Arc<Socket>],
        stamps: Stamps,
        news: mpsc::UnboundedSender<News>,
    ) -> Result<Self> {
        let begin = now();
        let mut probed: Vec<_> = ways
            .iter()
            .zip(sockets)
            .map(|(way, socket)| {
                let peer = &config.peers[way.peer];
                Probed {
                    name: format!("{} over {}", peer.name, way.interface),
                    node: Discriminator::of_node(&peer.name),
                    session: Session::new(begin, peer.probing),
                    sequence: 0,
                    socket: Arc::clone(socket),
                    detection_time: peer.probing.detection_time(),
                    warned: Duration::ZERO,
                }
            })
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("liveness".to_owned())
            .spawn(move || {
                keeper::raise_priority("the liveness of peers");
                while !stopped.load(Ordering::Relaxed) {
                    let next = round(&mut probed, &stamps, &news);
                    thread::sleep(next.since(now()).min(NAP));
                }
            })
            .context("cannot start the thread that probes the peers")?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// Looks at all ways, and returns when to look again.
fn round(probed: &mut [Probed], stamps: &Stamps, news: &mpsc::UnboundedSender<News>) -> Time {
    let mut next = now() + NAP;
    for (way, probed) in probed.iter_mut().enumerate() {
        if probed.session.is_due(now()) {
            probed.probe(way);
        }
        // The stamps after the time: what comes between the two is not a silence.
        let now = now();
        let heard = heard(stamps, way);
        if let Some(change) = probed.session.observe(now, heard) {
            // The engine is gone only when the agent stops.
            let _ = news.send(News { way, change });
        }
        probed.warn();
        next = next.min(probed.session.deadline());
    }
    next
}

impl Probed {
    fn probe(&mut self, way: usize) {
        self.sequence = self.sequence.wrapping_add(1);
        let request = Request::probe(way, self.sequence, self.node);
        let sent = self.socket.send(&request);
        self.session.sent(now(), sent.is_ok());
    }

    /// Says when the interval leaves less than twice what has been seen.
    fn warn(&mut self) {
        let longest = self.session.longest_silence();
        let is_up = self.session.liveness() == Some(Liveness::Up);
        if is_up && longest > self.warned && longest * 2 > self.detection_time {
            self.warned = longest * 2;
            tracing::warn!(
                peer = %self.name,
                "was silent for {longest:.1?} and lives: {:?} until it is replaced are less than twice that; \
                 raise interval or multiplier",
                self.detection_time
            );
        }
    }
}

fn heard(stamps: &Stamps, way: usize) -> Heard {
    let live = stamps.heard(way as u32);
    let at = |ns: u64| (ns != 0).then(|| Time::from_origin(Duration::from_nanos(ns)));
    Heard {
        reply: at(live.replied_ns).map(|at| (at, State::from_bits(live.reply.state))),
        request: at(live.asked_ns),
    }
}
