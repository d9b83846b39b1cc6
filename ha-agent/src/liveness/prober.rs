//! The thread that probes, and compares stamps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
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
use crate::{config::Peer, dataplane::Stamps, keeper};

/// How long the thread sleeps at most, so that it ends soon when it is to.
const NAP: Duration = Duration::from_millis(100);
/// How often it reports.
const REPORTS: Duration = Duration::from_millis(50);

/// The thread. Ends on drop.
#[derive(Debug)]
pub(super) struct Prober {
    stop: Arc<AtomicBool>,
    lanes: Sender<Vec<Lane>>,
    thread: Option<JoinHandle<()>>,
}

/// A way that is to be probed.
pub(super) enum Lane {
    /// As it is, by its slot.
    Kept(u32),
    /// From now on.
    New(Box<Probed>),
}

/// How long a peer must have said that it does not hear this node before the operator is told.
const ONE_WAY: Duration = Duration::from_secs(1);

/// A way while it is probed.
pub(super) struct Probed {
    slot: u32,
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

impl Lane {
    /// A way of which nothing is known.
    pub(super) fn begin(peer: &Peer, way: &Way, socket: &Arc<Socket>) -> Self {
        Self::New(Box::new(Probed {
            slot: way.slot,
            name: format!("{} over {}", peer.name, way.interface),
            node: Discriminator::of_node(&peer.name),
            session: Session::new(now(), peer.probing),
            socket: Arc::clone(socket),
            detection_time: peer.probing.detection_time(),
            warned: Duration::ZERO,
            one_way: OneWay::No,
        }))
    }
}

impl Prober {
    pub(super) fn start(
        lanes: Vec<Lane>,
        stamps: Stamps,
        news: mpsc::UnboundedSender<News>,
        reports: Reports,
    ) -> Result<Self> {
        let (sender, changes) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("liveness".to_owned())
            .spawn(move || {
                keeper::raise_priority("the liveness of peers");
                let mut probed = follow(Vec::new(), lanes);
                let mut reported = now();
                while !stopped.load(Ordering::Relaxed) {
                    probed = changed(probed, &changes);
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
            lanes: sender,
            thread: Some(thread),
        })
    }

    /// Probes these from the next round on.
    pub(super) fn set(&self, lanes: Vec<Lane>) {
        // The thread ends with this only.
        let _ = self.lanes.send(lanes);
    }
}

/// What is probed after the changes that have come.
fn changed(mut probed: Vec<Probed>, changes: &Receiver<Vec<Lane>>) -> Vec<Probed> {
    while let Ok(lanes) = changes.try_recv() {
        probed = follow(probed, lanes);
    }
    probed
}

fn follow(mut probed: Vec<Probed>, lanes: Vec<Lane>) -> Vec<Probed> {
    let mut next = Vec::with_capacity(lanes.len());
    for lane in lanes {
        match lane {
            Lane::New(new) => next.push(*new),
            Lane::Kept(slot) => {
                let place = probed.iter().position(|probed| probed.slot == slot);
                next.extend(place.map(|place| probed.swap_remove(place)));
            }
        }
    }
    next
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
    for probed in probed.iter_mut() {
        if probed.session.is_due(now()) {
            probed.probe();
        }
        // The stamps after the time: what comes between the two is not a silence.
        let now = now();
        let live = stamps.heard(probed.slot);
        let heard = heard(&live);
        probed.note_view(now, hears_us(&live));
        if let Some(change) = probed.session.observe(now, heard) {
            // The engine is gone only when the agent stops.
            let _ = news.send(News {
                slot: probed.slot,
                change,
            });
        }
        probed.warn();
        next = next.min(probed.session.deadline());
    }
    next
}

impl Probed {
    fn probe(&mut self) {
        let view = match self.session.liveness() {
            Some(Liveness::Up | Liveness::Down) => View::Heard,
            Some(Liveness::Lost | Liveness::Unknown) | None => View::Unheard,
        };
        let request = Request::probe(self.slot, self.session.sequence(), self.node, view);
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

fn report<'a>(
    probed: &'a [Probed],
    stamps: &'a Stamps,
) -> impl Iterator<Item = (u32, Report)> + 'a {
    probed.iter().map(|probed| {
        let report = Report::new(&probed.session, &stamps.heard(probed.slot));
        (probed.slot, report)
    })
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
