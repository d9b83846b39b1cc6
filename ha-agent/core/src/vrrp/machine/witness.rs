//! The witness: a third party without which a Backup does not take over from a node that it merely does not
//! hear. Of two nodes that do not hear each other, the one that is cut off does not hear the witness either.

use core::time::Duration;

use super::{Machine, State, backup::Backup};
use crate::{
    election::{Cause, Command},
    time::Time,
};

/// When to ask again, and for how long an answer counts.
const AGAIN: Duration = Duration::from_millis(25);

/// What is known of the witness while a Backup comes to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    NotAsked,
    /// Since when the last question waits.
    Asked(Time),
    /// It did not answer in time, and the operator has been told; since when the last question waits.
    Missing(Time),
    /// When it answered.
    Answered(Time),
}

impl Machine {
    /// Asks the witness, unless it is not needed or has just answered.
    pub(super) fn ask_witness(&mut self, mut backup: Backup, now: Time) -> Option<Vec<Command>> {
        if !self.config.needs_witness || !is_presumed(backup.cause(now)) {
            return None;
        }
        backup.is_ready = false;
        let (witness, is_news) = match backup.witness {
            Witness::Answered(at) if now < at + AGAIN => return None,
            // Something else than the time has come.
            Witness::Asked(at) | Witness::Missing(at) if now < at + AGAIN => {
                backup.down = at + AGAIN;
                self.state = State::Backup(backup);
                return Some(Vec::new());
            }
            Witness::NotAsked | Witness::Answered(_) => (Witness::Asked(now), false),
            Witness::Asked(_) => (Witness::Missing(now), true),
            Witness::Missing(_) => (Witness::Missing(now), false),
        };
        backup.witness = witness;
        backup.down = now + AGAIN;
        self.state = State::Backup(backup);
        let told = is_news.then(|| self.backup_role(Cause::NoWitness));
        Some(told.into_iter().chain([Command::AskWitness]).collect())
    }

    /// The witness hears this node.
    pub(super) fn witnessed(&mut self, now: Time) -> Vec<Command> {
        let State::Backup(mut backup) = self.state else {
            return Vec::new();
        };
        match backup.witness {
            Witness::NotAsked | Witness::Answered(_) => Vec::new(),
            Witness::Asked(_) => {
                backup.witness = Witness::Answered(now);
                self.expire_peers(now);
                self.backup_timer(backup, now)
            }
            // While it did not answer this node was cut off, and heard nobody: the silence of the others began
            // only now.
            Witness::Missing(_) => {
                backup.witness = Witness::NotAsked;
                backup.down = now + self.own_active_down();
                self.state = State::Backup(backup);
                Vec::new()
            }
        }
    }
}

/// Whether the Active node is only presumed dead: it has not said itself that it let go.
const fn is_presumed(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::ActiveLost | Cause::ActiveSilent { .. } | Cause::NobodyActive
    )
}
