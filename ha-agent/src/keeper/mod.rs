//! The lease's keeper: a thread that renews it, as long as the engine makes progress.
//!
//! A lease says that the *elections* are alive. So it is the engine's last sign of life from which a
//! renewal counts, not the renewal itself: however late or early this thread runs, the lease ends one
//! length after the engine was last seen.

mod priority;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ha_common::lease::{LeaseState, LeaseWord, Operation, Reply, Request};
use tokio::sync::mpsc;

use crate::dataplane::LeaseSwitch;

pub(crate) use self::priority::raise as raise_priority;

/// Renewals in the length of a lease.
const RENEWALS: u32 = 4;

/// The lease with this generation was found lapsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// Its generation.
    pub generation: u8,
}

/// What engine and keeper share.
#[derive(Debug)]
struct Shared {
    origin: Instant,
    /// The engine's last sign of life, nanoseconds after `origin`.
    seen: AtomicU64,
    /// Generation of the lease to renew; above 255 while there is none.
    generation: AtomicU32,
    /// Length of the lease, nanoseconds.
    length: AtomicU64,
    stop: AtomicBool,
}

const NO_LEASE: u32 = u32::MAX;

/// The engine's side: signs of life, and new leases.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    switch: Arc<LeaseSwitch>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread. It has nothing to renew before the first [`Keeper::grant`].
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(
        switch: Arc<LeaseSwitch>,
        length: Duration,
        lapses: mpsc::UnboundedSender<Lapse>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            origin: Instant::now(),
            seen: AtomicU64::new(0),
            generation: AtomicU32::new(NO_LEASE),
            length: AtomicU64::new(nanoseconds(length)),
            stop: AtomicBool::new(false),
        });
        let renewer = Renewer {
            shared: Arc::clone(&shared),
            switch: Arc::clone(&switch),
            lapses,
        };
        let thread = thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || renewer.run())
            .context("cannot start the thread that renews the lease")?;
        Ok(Self {
            shared,
            switch,
            thread: Some(thread),
        })
    }

    /// How often the engine must give a sign of life.
    #[must_use]
    pub fn pulse(&self) -> Duration {
        self.length() / RENEWALS
    }

    /// How long the lease lasts.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.shared.length()
    }

    /// Makes the lease last so long from the next renewal on, and renews it.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn set_length(&self, length: Duration) -> Result<()> {
        let length = nanoseconds(length);
        self.shared.length.store(length, Ordering::Release);
        self.shared.see();
        match u8::try_from(self.shared.generation.load(Ordering::Acquire)) {
            // If it has lapsed the thread finds out.
            Ok(generation) => self.prolong(generation).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// The engine is alive.
    pub fn seen(&self) {
        self.shared.see();
    }

    /// Asks the kernel for a new lease and returns its generation.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn grant(&self) -> Result<u8> {
        self.shared.see();
        let generation = grant(&self.switch, self.length())?;
        self.shared
            .generation
            .store(u32::from(generation), Ordering::Release);
        Ok(generation)
    }

    /// The lease as the kernel has it now, whoever was granted it.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn lease(&self) -> Result<LeaseWord> {
        Ok(self.switch.node()?.lease)
    }

    /// Goes on with the lease of the agent before this one; false if it has lapsed.
    ///
    /// # Errors
    /// If the kernel refuses for another reason.
    pub fn go_on(&self, generation: u8) -> Result<bool> {
        self.shared.see();
        match self.prolong(generation)? {
            Reply::Done => {
                let generation = u32::from(generation);
                self.shared.generation.store(generation, Ordering::Release);
                Ok(true)
            }
            Reply::Lapsed => Ok(false),
            reply @ (Reply::Invalid | Reply::NoTimer) => {
                anyhow::bail!("the kernel does not renew the lease: {reply:?}")
            }
        }
    }

    /// Asks the kernel for a lease of another switch, beside the one that is renewed; returns its generation.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn grant_beside(&self, next: &LeaseSwitch) -> Result<u8> {
        self.shared.see();
        grant(next, self.length())
    }

    /// Goes on with another switch and the lease that it has, if it has one; returns the one before.
    pub fn change(&self, next: LeaseSwitch, generation: Option<u8>) -> LeaseSwitch {
        self.shared.generation.store(NO_LEASE, Ordering::Release);
        let before = self.switch.exchange(next);
        let generation = generation.map_or(NO_LEASE, u32::from);
        self.shared.generation.store(generation, Ordering::Release);
        before
    }

    /// Renews the lease for the last time, and leaves it to the next agent.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn hand_over(&self) -> Result<()> {
        let generation = self.shared.generation.swap(NO_LEASE, Ordering::AcqRel);
        match u8::try_from(generation) {
            // Where it has lapsed, there is nothing to leave.
            Ok(generation) => self.prolong(generation).map(drop),
            Err(_) => Ok(()),
        }
    }

    fn prolong(&self, generation: u8) -> Result<Reply> {
        self.switch
            .run(request(Operation::Renew, generation, self.length()))
    }

    /// Whether the lease with this generation is valid, as the kernel has it now.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn holds(&self, generation: u8) -> Result<bool> {
        let lease = self.switch.node()?.lease;
        Ok(lease.generation == generation && LeaseState::from_u8(lease.state) == LeaseState::Valid)
    }

    /// Whether the kernel ended the lease before its time: another node was to take over.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub fn gave_way(&self) -> Result<bool> {
        Ok(self.switch.node()?.was_ended_early())
    }

    /// Gives the lease up: the node is fenced from now on.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn give_up(&self) -> Result<()> {
        self.shared.generation.store(NO_LEASE, Ordering::Release);
        self.switch
            .run(request(Operation::Drop, 0, Duration::ZERO))
            .map(drop)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread has been reported already, and the lease ends by itself.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn length(&self) -> Duration {
        Duration::from_nanos(self.length.load(Ordering::Acquire))
    }

    fn see(&self) {
        let now = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.seen.store(now, Ordering::Release);
    }

    fn silence(&self) -> Duration {
        let seen = Duration::from_nanos(self.seen.load(Ordering::Acquire));
        self.origin.elapsed().saturating_sub(seen)
    }
}

/// The thread's side.
struct Renewer {
    shared: Arc<Shared>,
    switch: Arc<LeaseSwitch>,
    lapses: mpsc::UnboundedSender<Lapse>,
}

impl Renewer {
    fn run(self) {
        raise_priority("the lease's keeper");
        while !self.shared.stop.load(Ordering::Acquire) {
            self.renew();
            thread::park_timeout(self.shared.length() / RENEWALS);
        }
    }

    fn renew(&self) {
        let Ok(generation) = u8::try_from(self.shared.generation.load(Ordering::Acquire)) else {
            return;
        };
        let Some(rest) = rest(self.shared.length(), self.shared.silence()) else {
            // The engine hangs. Nothing is done, and the kernel does the rest.
            return;
        };
        match self.switch.run(request(Operation::Renew, generation, rest)) {
            Ok(Reply::Done) => {}
            Ok(Reply::Lapsed) => self.lapsed(generation),
            Ok(reply @ (Reply::Invalid | Reply::NoTimer)) => {
                tracing::error!(?reply, "the kernel does not renew the lease");
            }
            Err(error) => tracing::error!("cannot renew the lease: {error:#}"),
        }
    }

    fn lapsed(&self, generation: u8) {
        // Unless the engine has found out by itself and has a new lease already.
        let _ = self.shared.generation.compare_exchange(
            u32::from(generation),
            NO_LEASE,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        // The engine is gone only when the agent stops.
        let _ = self.lapses.send(Lapse { generation });
    }
}

/// What is left of the lease when the engine was last seen `silence` ago.
fn rest(length: Duration, silence: Duration) -> Option<Duration> {
    length.checked_sub(silence).filter(|rest| !rest.is_zero())
}

fn grant(switch: &LeaseSwitch, length: Duration) -> Result<u8> {
    let reply = switch.run(request(Operation::Grant, 0, length))?;
    anyhow::ensure!(
        reply == Reply::Done,
        "the kernel grants no lease: {reply:?}"
    );
    Ok(switch.node()?.lease.generation)
}

fn request(operation: Operation, generation: u8, length: Duration) -> Request {
    Request {
        operation: operation as u8,
        generation,
        pad: [0; 6],
        length_ns: nanoseconds(length).to_le_bytes(),
    }
}

fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_millis(200);

    #[test]
    fn the_lease_ends_one_length_after_the_engine_was_seen() {
        assert_eq!(rest(LENGTH, Duration::ZERO), Some(LENGTH));
        assert_eq!(
            rest(LENGTH, Duration::from_millis(150)),
            Some(Duration::from_millis(50))
        );
        assert_eq!(rest(LENGTH, LENGTH), None);
        assert_eq!(rest(LENGTH, Duration::from_secs(3)), None);
    }

    #[test]
    fn a_request_has_its_length_in_little_endian() {
        let frame = request(Operation::Renew, 7, LENGTH).to_frame();
        assert_eq!(frame[..8], [2, 7, 0, 0, 0, 0, 0, 0]);
        assert_eq!(frame[8..16], 200_000_000_u64.to_le_bytes());
    }
}
