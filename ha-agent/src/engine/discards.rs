//! Advertisements that broke a rule: all are counted, few are logged.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use ha_core::vrrp::Discard;

/// How often the same discard from the same sender is logged at most.
const QUIET: Duration = Duration::from_secs(10);

/// Counts of discarded advertisements.
#[derive(Debug, Default)]
pub(super) struct Discards {
    seen: BTreeMap<(IpAddr, &'static str), Seen>,
}

#[derive(Debug)]
struct Seen {
    since_logged: u64,
    logged: Instant,
}

impl Discards {
    /// Counts a discard and logs the first one, and then one in a while with what came between.
    pub(super) fn count(&mut self, group: &str, from: IpAddr, discard: Discard) {
        let now = Instant::now();
        let seen = self.seen.entry((from, discard.name())).or_insert_with(|| {
            tracing::warn!(group, %from, "discarded an advertisement: {discard}");
            Seen {
                since_logged: 0,
                logged: now,
            }
        });
        seen.since_logged += 1;
        if now.duration_since(seen.logged) >= QUIET {
            let count = seen.since_logged;
            tracing::warn!(group, %from, count, "discarded advertisements: {discard}");
            *seen = Seen {
                since_logged: 0,
                logged: now,
            };
        }
    }
}
