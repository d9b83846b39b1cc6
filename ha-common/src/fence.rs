//! Whether a node may act on its role: one test for the kernel program, its host build and the agent.

use crate::{
    abi::{Demotion, Role, RoleWord},
    lease::{LeaseState, LeaseWord},
};

/// What a node is for a group at this moment, when all words are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Answers and delivers.
    Active,
    /// Delivers, and is silent to ARP and neighbour solicitations.
    Claiming,
    /// Silent because the agent said so.
    Backup,
    /// Silent although the agent's last word was to take part.
    Fenced(Fence),
}

/// Why a role word that says Active or Claiming is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// No lease was ever granted.
    NoLease,
    /// The lease was not renewed in time, or was given up.
    LeaseLapsed,
    /// The word was written under another lease than the one that is valid now.
    OtherLease,
    /// The kernel demoted the word's epoch.
    Demoted,
}

impl Fence {
    /// The name in the status, in logs and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoLease => "no_lease",
            Self::LeaseLapsed => "lease_lapsed",
            Self::OtherLease => "other_lease",
            Self::Demoted => "demoted",
        }
    }
}

/// What the three words of a group and its node mean together.
///
/// Each word has one writer and is read whole, so the result is never torn: at worst it is as old as
/// the oldest of the three reads.
#[must_use]
#[inline(always)]
pub const fn standing(word: RoleWord, demoted: Demotion, lease: LeaseWord) -> Standing {
    let standing = match Role::from_u8(word.role) {
        Role::Backup => return Standing::Backup,
        Role::Claiming => Standing::Claiming,
        Role::Active => Standing::Active,
    };
    match LeaseState::from_u8(lease.state) {
        LeaseState::None => return Standing::Fenced(Fence::NoLease),
        LeaseState::Lapsed => return Standing::Fenced(Fence::LeaseLapsed),
        LeaseState::Valid => {}
    }
    if word.lease != lease.generation {
        return Standing::Fenced(Fence::OtherLease);
    }
    if word.epoch <= demoted.epoch {
        return Standing::Fenced(Fence::Demoted);
    }
    standing
}

#[cfg(test)]
mod tests {
    use super::{Fence, Standing, standing};
    use crate::{
        abi::{Demotion, Role, RoleWord},
        lease::{LeaseState, LeaseWord},
    };

    const LEASE: LeaseWord = LeaseWord {
        state: LeaseState::Valid as u8,
        generation: 7,
        pad: [0; 2],
        grants: 7,
    };

    const fn word(role: Role) -> RoleWord {
        RoleWord {
            role: role as u8,
            lease: 7,
            peer: 0,
            epoch: 5,
        }
    }

    const NOT_DEMOTED: Demotion = Demotion {
        epoch: 4,
        priority: 0,
    };

    #[test]
    fn a_role_under_a_valid_lease_stands() {
        let of = |role| standing(word(role), NOT_DEMOTED, LEASE);
        assert_eq!(of(Role::Active), Standing::Active);
        assert_eq!(of(Role::Claiming), Standing::Claiming);
        assert_eq!(of(Role::Backup), Standing::Backup);
    }

    #[test]
    fn each_missing_condition_fences() {
        let without = |state: LeaseState| LeaseWord {
            state: state as u8,
            ..LEASE
        };
        let cases = [
            (NOT_DEMOTED, without(LeaseState::None), Fence::NoLease),
            (NOT_DEMOTED, without(LeaseState::Lapsed), Fence::LeaseLapsed),
            (
                NOT_DEMOTED,
                LeaseWord {
                    generation: 8,
                    ..LEASE
                },
                Fence::OtherLease,
            ),
            (
                Demotion {
                    epoch: 5,
                    priority: 200,
                },
                LEASE,
                Fence::Demoted,
            ),
        ];
        for role in [Role::Active, Role::Claiming] {
            for (demoted, lease, fence) in cases {
                assert_eq!(
                    standing(word(role), demoted, lease),
                    Standing::Fenced(fence)
                );
            }
        }
        for (demoted, lease, _) in cases {
            assert_eq!(
                standing(word(Role::Backup), demoted, lease),
                Standing::Backup
            );
        }
    }

    #[test]
    fn unknown_numbers_are_silent() {
        for role in 3..=u8::MAX {
            let word = RoleWord {
                role,
                ..word(Role::Active)
            };
            assert_eq!(standing(word, NOT_DEMOTED, LEASE), Standing::Backup);
        }
        for state in 2..=u8::MAX {
            let lease = LeaseWord { state, ..LEASE };
            assert_eq!(
                standing(word(Role::Active), NOT_DEMOTED, lease),
                Standing::Fenced(Fence::LeaseLapsed)
            );
        }
    }
}
