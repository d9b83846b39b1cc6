//! What the thread of the sessions has to show, for whoever asks for the status.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use ha_core::bfd::{Diagnostic, Packet, State};

/// A session as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its state.
    pub state: State,
    /// Why it last left Up, as the router is told.
    pub diagnostic: Diagnostic,
    /// Its number here.
    pub discriminator: NonZeroU32,
    /// What the router said last; `None` when it has been silent for longer than a detection time.
    pub remote: Option<Packet>,
    /// Between own packets, without jitter.
    pub transmit_interval: Duration,
    /// The silence that is a failure; `None` while the router is not heard.
    pub detection_time: Option<Duration>,
    /// Since when it has its state.
    pub since: SystemTime,
    /// How often it came Up.
    pub ups: u64,
    /// Packets received.
    pub received: u64,
    /// Packets sent.
    pub sent: u64,
    /// Whether echo packets are sent now.
    pub has_echo: bool,
    /// Echo packets sent.
    pub echoes_sent: u64,
    /// Echo packets that came back.
    pub echoes_returned: u64,
    /// Packets of the router that were discarded, by the rule that they broke.
    pub discards: BTreeMap<&'static str, u64>,
}

/// A view of each session.
#[derive(Clone, Debug, Default)]
pub(super) struct Views(Arc<Mutex<Vec<View>>>);

impl Views {
    pub(super) fn read(&self) -> Vec<View> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Replaces what is there, unless somebody reads it just now: the thread of the sessions waits for nobody.
    pub(super) fn write(&self, views: impl Iterator<Item = View>) -> bool {
        let Ok(mut kept) = self.0.try_lock() else {
            return false;
        };
        kept.clear();
        kept.extend(views);
        true
    }
}
