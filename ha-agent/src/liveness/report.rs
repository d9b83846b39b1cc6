//! What the probing thread has found out, for whoever asks for the status.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ha_core::{
    sbfd::{RoundTrip, Session},
    vrrp::Liveness,
};

/// What is known of a way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// `None` before the first answer.
    pub liveness: Option<Liveness>,
    /// How long answers take.
    pub round_trip: Option<RoundTrip>,
    /// The longest silence after which the peer was still there.
    pub longest_silence: Duration,
    /// Whether the peer says that it hears this node; `None` before its first question.
    pub hears_us: Option<bool>,
    /// Answers so far.
    pub replies: u64,
    /// Questions of the peer so far.
    pub requests: u64,
}

/// A report for each way, by its slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports(Arc<Mutex<BTreeMap<u32, Report>>>);

impl Reports {
    pub(super) fn read(&self) -> BTreeMap<u32, Report> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces what is there, unless somebody reads it just now: the thread that probes waits for nobody.
    pub(super) fn write(&self, reports: impl Iterator<Item = (u32, Report)>) {
        if let Ok(mut kept) = self.0.try_lock() {
            kept.clear();
            kept.extend(reports);
        }
    }
}

impl Report {
    pub(super) fn new(session: &Session, heard: &ha_common::abi::Live) -> Self {
        Self {
            liveness: session.liveness(),
            round_trip: session.round_trip(),
            longest_silence: session.longest_silence(),
            hears_us: super::prober::hears_us(heard),
            replies: heard.replies,
            requests: heard.requests,
        }
    }
}
