//! The prober: a thousand probes a second of each kind to each virtual IP, and what became of each.
//!
//! | kind | from | through | who answered, by |
//! |---|---|---|---|
//! | UDP, TCP connect | client | the client's kernel | the name the echo service gives |
//! | ICMP echo | client | the client's kernel | the switch port the answer came through |
//! | ARP, ND | observer | raw frames | the switch port the answer came through |
//!
//! A measurement takes three threads: one for the client, one for the observer, one on the switch. A
//! prober wakes up once a millisecond, sends one probe of each kind and takes what has come back; when an
//! answer came is the kernel's receive stamp, so this costs no precision (but for TCP, where it is the
//! time of the next wake-up).

pub(crate) mod channel;
mod clock;
mod frame;
mod icmp;
mod record;
mod runner;
mod solicit;
mod tap;
mod tcp;
mod udp;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};

use self::{channel::Channel, icmp::Icmp, solicit::Solicit, tap::Sighting, tcp::Tcp, udp::Udp};
pub use self::{
    clock::Clock,
    record::{Kind, Owners, PATIENCE, Probe, Track, Which},
};
use crate::{echo::Names, lab::Lab, node::INTERFACE};

/// Planned time from one probe of a kind to the next.
pub const SPACING: Duration = Duration::from_millis(1);

const NOBODY: u8 = u8::MAX;

/// A measurement under way.
#[derive(Debug)]
pub struct Prober {
    clock: Clock,
    stop_sending: Arc<AtomicBool>,
    stop_listening: Arc<AtomicBool>,
    last_owner: Arc<AtomicU8>,
    senders: Vec<JoinHandle<Result<Vec<Track>>>>,
    tap: JoinHandle<Result<Vec<Sighting>>>,
}

impl Prober {
    /// Starts probing these virtual IPs, whose echo services are to be running.
    ///
    /// # Errors
    ///
    /// When a socket or a thread cannot be made.
    pub fn start(lab: &Lab, targets: &[IpAddr]) -> Result<Self> {
        Self::start_every(SPACING, lab, targets)
    }

    /// The same at another pace.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub fn start_every(spacing: Duration, lab: &Lab, targets: &[IpAddr]) -> Result<Self> {
        let clock = Clock::start();
        let stop_sending = Arc::new(AtomicBool::new(false));
        let stop_listening = Arc::new(AtomicBool::new(false));
        let last_owner = Arc::new(AtomicU8::new(NOBODY));
        let tap = tap::start(lab, clock, Arc::clone(&stop_listening))?;

        let client = lab.client().run(|| client_channels(lab, targets))?;
        let observer = lab.observer().run(|| observer_channels(lab, targets))?;
        let mut senders = Vec::new();
        for (name, station, channels) in [
            ("client", lab.client(), client),
            ("observer", lab.observer(), observer),
        ] {
            let stop = Arc::clone(&stop_sending);
            let last_owner = Arc::clone(&last_owner);
            let work = move || runner::run(channels, spacing, clock, &stop, &last_owner);
            senders.push(station.spawn(name, work)?);
        }
        Ok(Self {
            clock,
            stop_sending,
            stop_listening,
            last_owner,
            senders,
            tap,
        })
    }

    /// The clock of the measurement.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The node that named itself in the latest answer that the client got.
    #[must_use]
    pub fn last_owner(&self) -> Option<u8> {
        match self.last_owner.load(Ordering::Relaxed) {
            NOBODY => None,
            node => Some(node),
        }
    }

    /// Sends no more probes, waits until the last of them is answered or lost, and returns what
    /// became of each.
    ///
    /// # Errors
    ///
    /// When the prober itself failed or missed frames, so that the measurement is void.
    pub fn finish(self) -> Result<Vec<Track>> {
        self.stop_sending.store(true, Ordering::Release);
        let mut tracks = Vec::new();
        for sender in self.senders {
            tracks.extend(join(sender)?);
        }
        self.stop_listening.store(true, Ordering::Release);
        attribute(&mut tracks, &join(self.tap)?);
        Ok(tracks)
    }
}

fn client_channels(lab: &Lab, targets: &[IpAddr]) -> Result<Vec<Box<dyn Channel>>> {
    let names = Arc::new(Names::of(lab));
    let mut channels: Vec<Box<dyn Channel>> = Vec::new();
    for &target in targets {
        channels.push(Box::new(Udp::open(target, Arc::clone(&names))?));
        channels.push(Box::new(Icmp::open(target)?));
        channels.push(Box::new(Tcp::open(target, Arc::clone(&names))?));
    }
    Ok(channels)
}

fn observer_channels(lab: &Lab, targets: &[IpAddr]) -> Result<Vec<Box<dyn Channel>>> {
    let ifindex = lab.observer().ifindex(INTERFACE)?;
    let mut channels: Vec<Box<dyn Channel>> = Vec::new();
    for &target in targets {
        let channel = Solicit::open(target, ifindex)
            .context("opening a raw packet socket; the lab needs root (CAP_NET_RAW)")?;
        channels.push(Box::new(channel));
    }
    Ok(channels)
}

/// Notes for each probe the nodes from whose ports answers came.
fn attribute(tracks: &mut [Track], sightings: &[Sighting]) {
    for Sighting { reply, at, node } in sightings {
        let probe = tracks
            .iter_mut()
            .find(|track| (track.kind, track.target) == (reply.kind, reply.target))
            .and_then(|track| track.find(reply.which, *at));
        if let Some(probe) = probe {
            probe.owners.insert(*node);
        }
    }
}

fn join<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    let name = thread.thread().name().unwrap_or_default().to_owned();
    thread
        .join()
        .map_err(|_| anyhow!("the thread {name} panicked"))?
        .with_context(|| format!("probing ({name})"))
}
