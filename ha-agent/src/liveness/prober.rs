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
use ha_common::{abi::Live, wire::bfd::State};
use ha_core::{
    sbfd::{Heard, Reply, Session},
    time::Time,
    vrrp::Liveness,
};
use tokio::sync::mpsc;

use super::{
    Discriminator, News, Way, now,
    packet::{Request, View},
    report::{Report, Reports},
    socket::Socket,
};
use crate::{config::Config, dataplane::Stamps, keeper};

/// How long the thread sleeps at most, so that it ends soon when it is to.
const NAP: Duration = Duration::from_millis(100);
/// How often it reports.
const REPORTS: Duration = Duration::from_millis(50);

/// The thread. Ends on drop.
#[derive(Debug)]
pub(super) struct Prober {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// How long a peer must have said that it does not hear this node before the operator is told.
const ONE_WAY: Duration = Duration::from_secs(1);

/// A way while it is probed.
struct Probed {
    name: String,
    node: Discriminator,
    session: Session,
    socket: Arc<Socket>,
    /// The silence that is a loss.
    detection_time: Duration,
    /// The longest silence of which was warned.
    warned: Duration,
    one_way: OneWay,
}

/// Whether the peer says that it does not hear this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OneWay {
    No,
    Since(Time),
    /// The operator knows.
    Told,
}

impl Prober {
    pub(super) fn start(
        config: &Config,
        ways: &[Way],
        sockets: &[Arc<Socket>],
        stamps: Stamps,
        news: mpsc::UnboundedSender<News>,
        reports: Reports,
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
                    socket: Arc::clone(socket),
                    detection_time: peer.probing.detection_time(),
                    warned: Duration::ZERO,
                    one_way: OneWay::No,
                }
            })
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("liveness".to_owned())
            .spawn(move || {
                keeper::raise_priority("the liveness of peers");
                let mut reported = begin;
                while !stopped.load(Ordering::Relaxed) {
                    let next = round(&mut probed, &stamps, &news);
                    if reported + REPORTS <= now() {
                        reported = now();
                        reports.write(report(&probed, &stamps));
                    }
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
        let live = stamps.heard(way as u32);
        let heard = heard(&live);
        probed.note_view(now, hears_us(&live));
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
        let view = match self.session.liveness() {
            Some(Liveness::Up | Liveness::Down) => View::Heard,
            Some(Liveness::Lost | Liveness::Unknown) | None => View::Unheard,
        };
        let request = Request::probe(way, self.session.sequence(), self.node, view);
        let begun = now();
        let sent = self.socket.send(&request);
        self.session.sent(begun, now(), sent.is_ok());
    }

    /// Says when a link works one way only, and when it works both ways again. A peer that has just started
    /// does not hear anybody yet.
    fn note_view(&mut self, now: Time, hears_us: Option<bool>) {
        let one_way = hears_us == Some(false) && self.session.liveness() == Some(Liveness::Up);
        match (self.one_way, one_way) {
            (OneWay::No, true) => self.one_way = OneWay::Since(now),
            (OneWay::Since(since), true) if since + ONE_WAY <= now => {
                self.one_way = OneWay::Told;
                tracing::warn!(peer = %self.name, "does not hear this node, which hears it");
            }
            (OneWay::Told, false) => {
                self.one_way = OneWay::No;
                tracing::info!(peer = %self.name, "no longer says that it does not hear this node");
            }
            (OneWay::Since(_), false) => self.one_way = OneWay::No,
            (OneWay::No, false) | (OneWay::Since(_) | OneWay::Told, true) => {}
        }
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

fn report<'a>(probed: &'a [Probed], stamps: &'a Stamps) -> impl Iterator<Item = Report> + 'a {
    let each = probed.iter().enumerate();
    each.map(|(way, probed)| Report::new(&probed.session, &stamps.heard(way as u32)))
}

/// What the peer's questions say of this node; `None` before the first one.
pub(super) const fn hears_us(live: &Live) -> Option<bool> {
    match (live.asked_ns, State::from_bits(live.view as u8)) {
        (0, _) => None,
        (_, State::Up) => Some(true),
        (_, State::AdminDown | State::Down | State::Init) => Some(false),
    }
}

fn heard(live: &Live) -> Heard {
    let at = |ns: u64| (ns != 0).then(|| Time::from_origin(Duration::from_nanos(ns)));
    Heard {
        reply: at(live.replied_ns).map(|at| Reply {
            at,
            said: State::from_bits(live.reply.state),
            sequence: live.reply.discriminator as u8,
        }),
        request: at(live.asked_ns),
    }
}
