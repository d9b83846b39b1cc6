//! Tells the data path that a group changes hands at this moment, so that it sees to questions that come meanwhile.

use std::time::Duration;

use ha_common::abi::Role;
use ha_core::{
    election::{Cause, Election as _},
    time::Time,
};

use super::Engine;

/// For how long a node that has let go hands questions on: the acknowledgement has arrived long before.
const HANDS_ON: Duration = Duration::from_millis(50);
/// For how long the new owner takes what is handed on; longer, as it begins earlier.
const TAKES: Duration = Duration::from_millis(200);
/// For how long an owner notes what it answers before it goes over to another of its interfaces: longer than a question
/// waits in the queue of the one NIC when it has come out of the other's.
const NOTES: Duration = Duration::from_millis(2);

impl Engine {
    /// To be called before the word of the role is stored.
    pub(super) fn note_moving(&mut self, index: usize, role: Role, cause: Cause) {
        let slot = self.groups[index].slot;
        let was_owner = self.dataplane.groups.word(slot).role == Role::Active as u8;
        let has_heir = matches!(
            cause,
            Cause::HandedOver { .. } | Cause::HigherPriority { .. } | Cause::Demoted { .. }
        );
        let ends = match role {
            Role::Claiming => None,
            Role::Active => Some(self.now() + TAKES),
            Role::Backup if was_owner && has_heir => Some(self.now() + HANDS_ON),
            // The owner that it follows has changed, not its own role.
            Role::Backup if cause == Cause::ActiveChanged => return,
            Role::Backup => return self.set_moving(index, None),
        };
        // From silence an owner comes that nobody hands anything on to.
        let is_moving = role != Role::Active || self.is_moving(index);
        self.set_moving(index, is_moving.then_some(ends));
    }

    /// Has it noted what is answered, as the owner is about to go over to another of its interfaces, which hears the same
    /// questions. Returns until when that has to wait for it, if it has to.
    pub(super) fn note_going_over(&mut self, index: usize) -> Option<Time> {
        match self.groups[index].election.role() {
            Role::Active => {}
            Role::Backup | Role::Claiming => return None,
        }
        let was_moving = self.is_moving(index);
        let now = self.now();
        self.set_moving(index, Some(Some(now + TAKES)));
        (!was_moving).then_some(now + NOTES)
    }

    fn is_moving(&self, index: usize) -> bool {
        self.moving.iter().any(|(moving, _)| *moving == index)
    }

    /// `Some(None)`: until the role changes.
    fn set_moving(&mut self, index: usize, ends: Option<Option<Time>>) {
        let was_moving = self.is_moving(index);
        self.moving.retain(|(moving, _)| *moving != index);
        self.moving.extend(ends.map(|ends| (index, ends)));
        if was_moving || ends.is_some() {
            let slot = self.groups[index].slot;
            self.dataplane.groups.set_moves(slot, ends.is_some());
        }
    }

    /// Ends what is over.
    pub(super) fn end_moving(&mut self) {
        let now = self.now();
        let is_over = |ends: Option<Time>| ends.is_some_and(|ends| ends <= now);
        let over = self.moving.iter().filter(|(_, ends)| is_over(*ends));
        for index in over.map(|(index, _)| *index).collect::<Vec<_>>() {
            self.set_moving(index, None);
        }
    }
}
