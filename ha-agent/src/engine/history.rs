//! What happened lately, for the status.

use std::{
    collections::VecDeque,
    time::{SystemTime, UNIX_EPOCH},
};

use ha_core::election::{Cause, Role};

use crate::api::types::Event;

/// How many events are kept.
const LEN: usize = 256;

/// The newest events, oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Event>);

impl History {
    /// A change of role.
    pub(super) fn role(&mut self, group: &str, role: Role, cause: Cause) {
        let text = format!("{}: {cause}", role.name());
        self.add(Some(group), cause.name(), text);
    }

    /// Something about a group.
    pub(super) fn group(&mut self, group: &str, kind: &str, text: impl Into<String>) {
        self.add(Some(group), kind, text.into());
    }

    /// Something about the whole node.
    pub(super) fn node(&mut self, kind: &str, text: impl Into<String>) {
        self.add(None, kind, text.into());
    }

    pub(super) fn to_vec(&self) -> Vec<Event> {
        self.0.iter().cloned().collect()
    }

    fn add(&mut self, group: Option<&str>, kind: &str, text: String) {
        if self.0.len() == LEN {
            self.0.pop_front();
        }
        self.0.push_back(Event {
            time: seconds(SystemTime::now()),
            group: group.map(str::to_owned),
            kind: kind.to_owned(),
            text,
        });
    }
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_kept() {
        let mut history = History::default();
        for number in 0..=LEN {
            history.node("test", number.to_string());
        }
        let events = history.to_vec();
        assert_eq!(events.len(), LEN);
        assert_eq!(events[0].text, "1");
        assert_eq!(events[LEN - 1].text, LEN.to_string());
    }
}
