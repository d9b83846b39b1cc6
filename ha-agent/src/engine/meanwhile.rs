//! What goes on while the kernel is asked for something that takes time: at a reload, and at a start, when neither peers
//! nor a witness are watched yet.

use anyhow::{Context, Result};
use ha_core::plan::Write;
use tokio::task::JoinHandle;

use super::{Engine, Wake, any_readable, liveness, witness};

/// Writes between two looks at the elections.
const AT_ONCE: usize = 256;

impl Engine {
    /// Lets the elections go on while `work` runs. Requests wait until all is done, and so does another lease.
    pub(super) async fn meanwhile<T>(&mut self, mut work: JoinHandle<T>) -> Result<T> {
        loop {
            self.keeper.seen();
            let deadline = self.next_deadline();
            let frames = any_readable(&self.ports);
            let wake = tokio::select! {
                biased;
                done = &mut work => return done.context("it was interrupted"),
                Some(lapse) = self.lapses.recv() => Wake::Lapse(lapse),
                told = liveness::next(self.liveness.as_mut()) => Wake::Peer(told),
                event = witness::next(self.witness.as_ref(), self.started) => Wake::Witness(event),
                _ = frames => Wake::Frames,
                () = tokio::time::sleep_until(deadline.into()) => Wake::Deadline,
                found = self.peers.found() => Wake::Neighbour(found),
            };
            self.read_adverts();
            match wake {
                Wake::Lapse(lapse) if self.lease == Some(lapse.generation) => self.fall_silent(),
                Wake::Neighbour(found) => self.found_neighbour(&found),
                Wake::Peer(told) => self.told(told),
                Wake::Witness(event) => self.witness_event(event),
                Wake::Lapse(_) | Wake::Frames | Wake::Deadline => {}
                Wake::Call(_)
                | Wake::Kernel(_)
                | Wake::Check(_)
                | Wake::Router(_)
                | Wake::Interface(_)
                | Wake::Pings(_)
                | Wake::Guests(_)
                | Wake::Stop(_) => unreachable!("it is not waited for"),
            }
            self.run_timers();
            self.end_moving();
            self.announce();
        }
    }

    /// Makes many writes, and lets the elections have their turn in between.
    pub(super) fn write(&mut self, writes: &[Write]) -> Result<()> {
        for some in writes.chunks(AT_ONCE) {
            self.dataplane.apply(some)?;
            self.breathe();
        }
        Ok(())
    }

    /// Lets the elections have their turn. Between things that take time where there are many addresses.
    pub(super) fn breathe(&mut self) {
        self.keeper.seen();
        self.read_adverts();
        self.run_timers();
        self.announce();
    }
}
