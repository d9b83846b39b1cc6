//! What a node's kernel took it for, over time, as far as it is certain.

use std::time::Duration;

use ha_common::{
    abi::{Demotion, RoleWord},
    fence::{Standing, standing},
    lease::LeaseWord,
};

use super::Speech;

/// Time from the program on the way out, which lets a frame pass, to its stamp at the switch. It is some microseconds,
/// but on a machine whose processors are busy the soft interrupt in between has to wait for its turn.
const ON_THE_WAY: Duration = Duration::from_millis(5);

/// The words that decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) role: RoleWord,
    pub(super) demoted: Demotion,
    pub(super) lease: LeaseWord,
}

impl Words {
    pub(super) const fn standing(&self) -> Standing {
        standing(self.role, self.demoted, self.lease)
    }
}

/// Whether a node may say this.
pub(super) const fn may(standing: Standing, speech: Speech) -> bool {
    match (standing, speech) {
        // A claimer answers the questions that the owner hands on to it, and announces nothing.
        (Standing::Active, _)
        | (Standing::Claiming, Speech::Packet | Speech::Question | Speech::Answer) => true,
        (Standing::Claiming, Speech::Owner) | (Standing::Backup | Standing::Fenced(_), _) => false,
    }
}

/// A time in which each look found the same words. Epochs and generations only grow, so there was nothing else in
/// between.
#[derive(Clone, Copy, Debug)]
struct Run {
    words: Words,
    from: Duration,
    until: Duration,
}

/// What it was when.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    runs: Vec<Run>,
    /// Whether nothing is known since the last look.
    is_broken: bool,
}

impl Roles {
    /// Takes note of a look that began and ended then.
    pub(super) fn note(&mut self, words: Words, began: Duration, ended: Duration) {
        match self.runs.last_mut() {
            Some(run) if run.words == words && !self.is_broken => run.until = began,
            Some(_) | None => self.runs.push(Run {
                words,
                from: ended,
                until: ended,
            }),
        }
        self.is_broken = false;
    }

    /// Takes note of a time of which nothing is known.
    pub(super) const fn lose_sight(&mut self) {
        self.is_broken = true;
    }

    /// Whether a node certainly must not have sent what came to the switch then.
    pub(super) fn forbid(&self, speech: Speech, at: Duration) -> bool {
        let mut runs = self.runs.iter();
        runs.any(|run| {
            let covers = run.from + ON_THE_WAY <= at && at <= run.until;
            covers && !may(run.words.standing(), speech)
        })
    }
}

#[cfg(test)]
mod tests {
    use ha_common::{abi::Role, lease::LeaseState};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn words(role: Role, epoch: u32, lease: LeaseState) -> Words {
        Words {
            role: RoleWord {
                role: role as u8,
                epoch,
                ..RoleWord::default()
            },
            lease: LeaseWord {
                state: lease as u8,
                ..LeaseWord::default()
            },
            ..Words::default()
        }
    }

    /// Active for 20 ms, then this for 20 ms.
    fn then(words_then: Words) -> Roles {
        let mut roles = Roles::default();
        for ms in 0..40 {
            let active = words(Role::Active, 1, LeaseState::Valid);
            let words = if ms < 20 { active } else { words_then };
            roles.note(words, MS * ms, MS * ms);
        }
        roles
    }

    #[test]
    fn a_silenced_node_must_not_speak_after_its_last_frames_have_come() {
        for words in [
            words(Role::Backup, 1, LeaseState::Valid),
            words(Role::Active, 1, LeaseState::Lapsed),
        ] {
            let roles = then(words);
            for speech in Speech::ALL {
                let forbids = |ms: u32| roles.forbid(speech, MS * ms);
                assert!(!forbids(10) && !forbids(19), "it was Active");
                assert!(!forbids(20) && !forbids(24), "it may have been on the way");
                assert!(forbids(25) && forbids(39));
                assert!(!forbids(40), "it is not known what it is then");
            }
        }
    }

    #[test]
    fn a_claimer_delivers_asks_and_answers_for_the_owner() {
        let roles = then(words(Role::Claiming, 2, LeaseState::Valid));
        let forbids = |speech| roles.forbid(speech, MS * 30);
        for speech in [Speech::Packet, Speech::Question, Speech::Answer] {
            assert!(!forbids(speech), "{speech:?}");
        }
        assert!(forbids(Speech::Owner));
    }

    #[test]
    fn while_it_is_out_of_sight_nothing_is_certain() {
        let mut roles = Roles::default();
        let backup = words(Role::Backup, 1, LeaseState::Valid);
        roles.note(backup, MS, MS);
        roles.note(backup, MS * 20, MS * 20);
        roles.lose_sight();
        roles.note(backup, MS * 50, MS * 50);
        roles.note(backup, MS * 80, MS * 80);
        assert!(roles.forbid(Speech::Packet, MS * 10));
        assert!(!roles.forbid(Speech::Packet, MS * 30));
        assert!(roles.forbid(Speech::Packet, MS * 70));
    }

    #[test]
    fn between_two_terms_nothing_is_certain() {
        let mut roles = Roles::default();
        roles.note(words(Role::Backup, 1, LeaseState::Valid), MS, MS);
        roles.note(words(Role::Backup, 3, LeaseState::Valid), MS * 50, MS * 50);
        assert!(!roles.forbid(Speech::Packet, MS * 30));
        roles.note(words(Role::Backup, 3, LeaseState::Valid), MS * 80, MS * 80);
        assert!(roles.forbid(Speech::Packet, MS * 70));
    }
}
