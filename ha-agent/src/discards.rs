//! Packets that broke a rule: all are counted, few are logged.

use std::{
    collections::BTreeMap,
    fmt::Display,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How often the same discard from the same sender is logged at most.
const QUIET: Duration = Duration::from_secs(10);

/// Senders and reasons that are remembered. When so many are logged within [`QUIET`], others are not: whoever makes
/// addresses up fills neither the log nor the memory.
const MOST: usize = 64;

/// Counts of discarded packets of one protocol.
#[derive(Debug)]
pub(crate) struct Discards {
    /// What they are called.
    what: &'static str,
    seen: BTreeMap<(IpAddr, &'static str), Seen>,
}

#[derive(Debug)]
struct Seen {
    since_logged: u64,
    logged: Instant,
}

impl Discards {
    /// Of packets that are called `what`.
    pub(crate) const fn new(what: &'static str) -> Self {
        Self {
            what,
            seen: BTreeMap::new(),
        }
    }

    /// Counts a discard, `name` in one word and `why` as a sentence, and logs the first one, and then one in a
    /// while with what came between. `of` is the group, session or interface that is concerned.
    pub(crate) fn count(&mut self, of: &str, from: IpAddr, name: &'static str, why: &impl Display) {
        let what = self.what;
        let now = Instant::now();
        if self.seen.len() >= MOST && !self.seen.contains_key(&(from, name)) {
            self.seen
                .retain(|_, seen| now.duration_since(seen.logged) < QUIET);
            if self.seen.len() >= MOST {
                return;
            }
        }
        let seen = self.seen.entry((from, name)).or_insert_with(|| {
            tracing::warn!(of, %from, "discarded {what}: {why}");
            Seen {
                since_logged: 0,
                logged: now,
            }
        });
        seen.since_logged += 1;
        if now.duration_since(seen.logged) >= QUIET {
            let count = seen.since_logged;
            tracing::warn!(of, %from, count, "discarded more: {what}: {why}");
            *seen = Seen {
                since_logged: 0,
                logged: now,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{Discards, Duration, MOST, QUIET};

    #[test]
    fn no_more_senders_are_remembered_than_there_is_room_for() {
        let mut discards = Discards::new("a packet");
        for number in 0..MOST as u32 * 3 {
            discards.count("it", Ipv4Addr::from(number).into(), "version", &"broken");
        }
        assert_eq!(discards.seen.len(), MOST);
        assert!(discards.seen.values().all(|seen| seen.since_logged == 1));
        // When it has been quiet for long enough there is room again.
        let long_ago = QUIET + Duration::from_millis(1);
        for seen in discards.seen.values_mut() {
            seen.logged = seen.logged.checked_sub(long_ago).unwrap();
        }
        discards.count("it", Ipv4Addr::BROADCAST.into(), "version", &"broken");
        assert_eq!(discards.seen.len(), 1);
    }
}
