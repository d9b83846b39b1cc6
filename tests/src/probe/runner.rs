//! One prober thread: sends on time, and takes what has come back.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
    time::Duration,
};

use anyhow::Result;

use super::{
    channel::{Answer, Channel, Inbox},
    clock::Clock,
    record::{PATIENCE, Probe, Track},
};
use crate::sys;

/// When the thread has been held up, the probes of that time are sent late, not left out, and at no
/// less than this distance: a burst would overflow the queues on the way and look like a loss.
const CATCHING_UP: Duration = Duration::from_micros(250);

struct Lane {
    channel: Box<dyn Channel>,
    track: Track,
}

/// Probes every `spacing` until `stop`, and then waits for the last answers.
pub(super) fn run(
    channels: Vec<Box<dyn Channel>>,
    spacing: Duration,
    clock: Clock,
    stop: &AtomicBool,
    last_owner: &AtomicU8,
) -> Result<Vec<Track>> {
    // Where it is not allowed, probes are late more often, which is no loss.
    let _ = sys::become_real_time();
    let mut lanes: Vec<Lane> = channels
        .into_iter()
        .map(|channel| {
            let track = Track::new(channel.kind(), channel.target(), spacing);
            Lane { channel, track }
        })
        .collect();
    let mut inbox = Inbox::new(clock);
    let mut due = clock.now();
    let mut wake = due;
    let mut over = None;
    loop {
        clock.sleep_until(wake);
        let woken = clock.now();
        if over.is_none() {
            if stop.load(Ordering::Acquire) {
                over = Some(woken + PATIENCE);
            } else {
                lanes.iter_mut().for_each(|lane| lane.send(clock));
            }
        }
        inbox.adjust();
        for lane in &mut lanes {
            lane.receive(&mut inbox, last_owner)?;
        }
        if over.is_some_and(|over| woken > over) {
            return Ok(lanes.into_iter().map(|lane| lane.track).collect());
        }
        due += spacing;
        wake = due.max(woken + CATCHING_UP);
    }
}

impl Lane {
    fn send(&mut self, clock: Clock) {
        let number = u32::try_from(self.track.probes.len()).expect("a run is shorter than 49 days");
        let sent = clock.now();
        // Noted first: the answer may be back before the call returns.
        self.track.probes.push(Probe {
            sent,
            ..Probe::default()
        });
        self.channel.send(number, sent);
    }

    fn receive(&mut self, inbox: &mut Inbox, last_owner: &AtomicU8) -> Result<()> {
        let track = &mut self.track;
        self.channel
            .receive(inbox, &mut |Answer { which, at, owner }| {
                let Some(probe) = track.find(which, at) else {
                    return;
                };
                probe.latency.get_or_insert(at.saturating_sub(probe.sent));
                probe.answers = probe.answers.saturating_add(1);
                if let Some(owner) = owner {
                    probe.owners.insert(owner);
                    last_owner.store(owner, Ordering::Relaxed);
                }
            })?;
        Ok(())
    }
}
