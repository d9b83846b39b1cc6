//! The engine: one task that owns all elections and everything they command.
//!
//! ```text
//!   packet sockets ──► adverts ─┐                     ┌─► role words (dataplane)
//!   control socket ──► calls ───┤                     ├─► advertisements (ports)
//!   lease keeper ────► lapses ──┼─► elections ──► execute ─► announcements (announcer)
//!   kernel events ──────────────┤   (ha_core)         └─► history, log
//!   deadlines ──────────────────┘
//! ```
//!
//! It never waits for anything but its inputs: a request to the kernel that takes time runs in a task
//! of its own and comes back as an input.

mod admission;
mod adverts;
mod announcer;
mod answers;
mod bfd;
mod bond;
mod calls;
mod cross;
mod death;
mod demotion;
mod execute;
mod fitness;
mod group;
mod guests;
mod heir;
mod history;
mod kernel;
mod lease;
mod liveness;
mod local;
mod meanwhile;
mod moving;
mod mute;
mod peers;
mod port;
mod reconcile;
mod recovery;
mod relink;
mod reload;
mod resume;
mod setup;
mod status;
mod switchover;
mod tags;
mod together;
mod vanished;
mod witness;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures_util::future::select_all;
use ha_common::abi::Vlan;
use ha_core::{
    election::{Election as _, Input},
    time::Time,
};
use tokio::sync::{mpsc, watch};

use self::{announcer::Announcer, group::Group, history::History, peers::Peers, port::Port};
use crate::{
    api::Call,
    bfd::{Bfd, News},
    config::Config,
    dataplane::{Dataplane, Events},
    discards::Discards,
    health::{Health, Means, Processes, Seen},
    keeper::{Keeper, Lapse},
    liveness::Told,
    net::Netlink,
};

/// Everything the agent decides about, and what it needs to act.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    started: Instant,
    dataplane: Dataplane,
    netlink: Netlink,
    keeper: Keeper,
    /// Generation of the lease under which the elections run; `None` while there is none.
    lease: Option<u8>,
    ports: Vec<Port>,
    groups: Vec<Group>,
    /// Where in `groups` a virtual router is, by port, tags and id.
    routers: HashMap<(usize, Vlan, u8), usize>,
    announcer: Announcer,
    peers: Peers,
    guests: guests::Guests,
    history: History,
    discards: Discards,
    liveness: Option<liveness::Peers>,
    mute: mute::Mute,
    witness: Option<witness::Witness>,
    bfd: Bfd,
    health: Health,
    processes: Processes,
    means: Means,
    reloads: reload::Reloads,
    moves: switchover::Moves,
    /// Whom this host's own programs reach.
    reach: local::Reach,
    /// The groups that change hands at this moment, and until when; `None` while the role lasts.
    moving: Vec<(usize, Option<Time>)>,
    lookout: vanished::Lookout,
    targets: recovery::Targets,
    lapses: mpsc::UnboundedReceiver<Lapse>,
}

/// What wakes the engine.
enum Wake {
    Frames,
    Deadline,
    Call(Call),
    Lapse(Lapse),
    Kernel(ha_common::abi::Event),
    Check(Seen),
    Peer(Told),
    Witness(witness::Event),
    Router(News),
    Neighbour(peers::Found),
    Interface(vanished::Sighting),
    Pings(recovery::News),
    Guests(Vec<guests::Way>),
    Stop(Ending),
}

/// How the agent is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It lets go of its groups and of the lease.
    Release,
    /// It leaves both to the next agent, which is about to be started.
    HandOver,
}

impl Engine {
    /// Runs until `stop` says how to end.
    ///
    /// # Errors
    /// If no lease can be had, or the inputs break.
    pub async fn run(
        mut self,
        mut calls: mpsc::Receiver<Call>,
        mut events: Events,
        mut stop: watch::Receiver<Option<Ending>>,
    ) -> Result<()> {
        self.restore_duty();
        match self.lease {
            Some(_) => self.start_groups(),
            None => self.take_lease()?,
        }
        loop {
            self.keeper.seen();
            let wake = self.wait(&mut calls, &mut events, &mut stop).await;
            // What came in before a deadline is handed in before it: an advertisement that waits in
            // the socket's queue after a pause would have stopped the timer that is due now.
            self.read_adverts();
            match wake {
                Wake::Frames | Wake::Deadline => {}
                Wake::Call(call) => self.answer(call).await?,
                Wake::Lapse(lapse) => self.lapsed(lapse.generation)?,
                Wake::Kernel(event) => self.kernel_event(&event),
                Wake::Check(seen) => self.seen(seen),
                Wake::Peer(told) => self.told(told),
                Wake::Witness(event) => self.witness_event(event),
                Wake::Router(news) => self.session_changed(news),
                Wake::Neighbour(found) => self.found_neighbour(&found),
                Wake::Interface(sighting) => self.sighted(&sighting).await?,
                Wake::Pings(news) => self.pinged(news),
                Wake::Guests(ways) => self.found_guests(ways),
                Wake::Stop(Ending::Release) => return self.stop(),
                Wake::Stop(Ending::HandOver) => return self.hand_over(),
            }
            self.run_timers();
            self.go_back();
            self.settle_lease();
            self.settle_moves();
            self.end_moving();
            self.look_for_mute();
            self.announce();
        }
    }

    async fn wait(
        &mut self,
        calls: &mut mpsc::Receiver<Call>,
        events: &mut Events,
        stop: &mut watch::Receiver<Option<Ending>>,
    ) -> Wake {
        let deadline = self.next_deadline();
        let frames = any_readable(&self.ports);
        tokio::select! {
            biased;
            ending = ending(stop) => Wake::Stop(ending),
            Some(lapse) = self.lapses.recv() => Wake::Lapse(lapse),
            told = liveness::next(self.liveness.as_mut()) => Wake::Peer(told),
            event = witness::next(self.witness.as_ref(), self.started) => Wake::Witness(event),
            _ = frames => Wake::Frames,
            () = tokio::time::sleep_until(deadline.into()) => Wake::Deadline,
            Some(call) = calls.recv() => Wake::Call(call),
            event = events.next() => Wake::Kernel(event),
            seen = self.health.next() => Wake::Check(seen),
            news = self.bfd.next() => Wake::Router(news),
            found = self.peers.found() => Wake::Neighbour(found),
            sighting = self.lookout.next() => Wake::Interface(sighting),
            news = self.targets.next() => Wake::Pings(news),
            ways = self.guests.found() => Wake::Guests(ways),
        }
    }

    /// The next deadline of anything, but not later than the next sign of life is due.
    fn next_deadline(&self) -> Instant {
        let elections = self
            .groups
            .iter()
            .filter_map(|group| group.election.deadline());
        let returns = self.groups.iter().filter_map(|group| group.returns_at);
        let next = elections
            .chain(self.announcer.deadline())
            .chain(returns)
            .min();
        let pulse = Instant::now() + self.keeper.pulse();
        next.map_or(pulse, |next| pulse.min(self.started + next.since_origin()))
    }

    fn now(&self) -> Time {
        Time::from_origin(self.started.elapsed())
    }

    fn run_timers(&mut self) {
        for index in 0..self.groups.len() {
            let now = self.now();
            if self.groups[index]
                .election
                .deadline()
                .is_some_and(|deadline| deadline <= now)
            {
                self.input(index, Input::Timer);
            }
        }
    }

    /// Releases all groups and gives the lease up. The data path stays, and is silent.
    fn stop(&mut self) -> Result<()> {
        for index in 0..self.groups.len() {
            self.input(index, Input::Stop);
        }
        self.history.node("stopping", "the agent stops");
        self.keeper.give_up()
    }

    /// How long the agent has been running.
    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// Waits until the agent is to end.
async fn ending(stop: &mut watch::Receiver<Option<Ending>>) -> Ending {
    let told = stop.wait_for(Option::is_some).await;
    // The sender is dropped only after the engine's task.
    told.ok().and_then(|told| *told).unwrap_or(Ending::Release)
}

/// Waits for a frame on any interface.
async fn any_readable(ports: &[Port]) {
    if ports.is_empty() {
        return std::future::pending().await;
    }
    let (result, _, _) = select_all(ports.iter().map(|port| Box::pin(port.readable()))).await;
    if let Err(error) = result {
        tracing::warn!("cannot wait for frames: {error}");
    }
}
