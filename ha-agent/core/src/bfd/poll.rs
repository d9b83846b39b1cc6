//! Poll Sequences (RFC 5880 sections 6.5 and 6.8.3): a change of timing is in force once it is known to have
//! arrived.

use super::timers::Terms;

/// The own timing: what is told, and what is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    /// What packets say.
    told: Terms,
    /// What the own timers keep to, and the other system is held to.
    in_force: Terms,
    progress: Progress,
}

/// How far a Poll Sequence has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// There is none.
    Settled,
    /// What is told has changed.
    Asking {
        /// Whether a packet with the Poll bit has been sent.
        has_asked: bool,
    },
    /// The answer has come. Another Final could be the answer to either sequence until a packet without
    /// that bit has come, too (section 6.8.3, the last of three choices).
    Answered,
}

impl Poll {
    pub(super) const fn new(terms: Terms) -> Self {
        Self {
            told: terms,
            in_force: terms,
            progress: Progress::Settled,
        }
    }

    pub(super) const fn told(&self) -> Terms {
        self.told
    }

    pub(super) const fn in_force(&self) -> Terms {
        self.in_force
    }

    /// Whether the next periodic packet has the Poll bit.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.progress, Progress::Asking { .. })
    }

    /// A packet with the Poll bit is sent.
    pub(super) fn ask(&mut self) {
        self.progress = Progress::Asking { has_asked: true };
    }

    /// A packet has come.
    pub(super) fn received(&mut self, is_final: bool) {
        match self.progress {
            Progress::Asking { has_asked: true } if is_final => {
                self.in_force = self.told;
                self.progress = Progress::Answered;
            }
            Progress::Answered if !is_final => self.progress = Progress::Settled,
            Progress::Settled | Progress::Asking { .. } | Progress::Answered => {}
        }
    }

    /// The timing is to be `wanted`; to be called again when something has come, as one change waits for the
    /// one before.
    ///
    /// While Up, what makes this node send less often or expect more waits for the answer: the other system
    /// must have adapted first. Everything else is in force at once.
    pub(super) fn want(&mut self, wanted: Terms, is_up: bool) {
        if wanted == self.told {
            return;
        }
        if !is_up {
            self.in_force = wanted;
        } else if self.progress == Progress::Settled {
            let before = self.in_force;
            self.in_force = Terms {
                desired_min_tx: before.desired_min_tx.min(wanted.desired_min_tx),
                required_min_rx: before.required_min_rx.max(wanted.required_min_rx),
            };
        } else {
            return;
        }
        self.told = wanted;
        self.progress = Progress::Asking { has_asked: false };
    }
}
