//! The next role word: what the agent stores when the election commands a role.

use ha_common::abi::{Demotion, Role, RoleWord};

/// All epochs are used up: with one change of owner a second, after 136 years.
///
/// The group can still be Backup, but never Active again, until its map is made anew by
/// `ha-agent detach --all`. To wrap around instead would let an old demotion count as newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "all {} epochs are used up: run `ha-agent detach --all`, then start the agent",
    u32::MAX
)]
pub struct EpochsExhausted;

/// Whether the kernel has taken back what `current` says.
#[must_use]
pub const fn is_taken_back(current: RoleWord, demoted: Demotion) -> bool {
    match Role::from_u8(current.role) {
        Role::Backup => false,
        Role::Claiming | Role::Active => current.epoch <= demoted.epoch,
    }
}

/// The word to store for `role`, after `current` with `demoted` beside it.
///
/// `peer` is the slot of the Active peer (0 if unknown), `lease` the generation of the lease under
/// which the election decided.
///
/// One epoch is one term as owner: it begins with the first step from Backup and under one lease, so
/// that going from Claiming to Active keeps it. A demotion by the kernel that comes between the
/// decision and the store therefore stands, since the stored word is of the demoted epoch.
///
/// A claimer that claims on against what demoted it begins another term: it has outbid it. That undoes
/// no demotion of an owner, as a claimer answers nobody, and hears what waits in the socket before it
/// becomes Active.
///
/// # Errors
/// [`EpochsExhausted`] when a newer epoch is needed and there is none. Storing
/// [`Role::Backup`] always succeeds.
pub const fn next(
    current: RoleWord,
    demoted: Demotion,
    role: Role,
    peer: u16,
    lease: u8,
) -> Result<RoleWord, EpochsExhausted> {
    let newest = if current.epoch > demoted.epoch {
        current.epoch
    } else {
        demoted.epoch
    };
    let goes_on = match (Role::from_u8(current.role), role) {
        (Role::Backup, Role::Backup) => true,
        (Role::Claiming, Role::Claiming) => {
            current.lease == lease && !is_taken_back(current, demoted)
        }
        (Role::Claiming | Role::Active, Role::Active) => current.lease == lease,
        (Role::Backup | Role::Active, Role::Claiming)
        | (Role::Backup, Role::Active)
        | (Role::Claiming | Role::Active, Role::Backup) => false,
    };
    let epoch = match (goes_on, role, newest.checked_add(1)) {
        (true, _, _) => current.epoch,
        (false, _, Some(newer)) => newer,
        (false, Role::Backup, None) => newest,
        (false, Role::Claiming | Role::Active, None) => return Err(EpochsExhausted),
    };
    Ok(RoleWord {
        role: role as u8,
        lease,
        peer,
        epoch,
    })
}

#[cfg(test)]
mod tests {
    use ha_common::{
        abi::{Demotion, Role, RoleWord},
        fence::{Fence, Standing, standing},
        lease::{LeaseState, LeaseWord},
    };
    use proptest::prelude::*;

    use super::{EpochsExhausted, is_taken_back, next};

    const ROLES: [Role; 3] = [Role::Backup, Role::Claiming, Role::Active];

    const fn word(role: Role, lease: u8, epoch: u32) -> RoleWord {
        RoleWord {
            role: role as u8,
            lease,
            peer: 0,
            epoch,
        }
    }

    const fn demoted(epoch: u32) -> Demotion {
        Demotion { epoch, priority: 0 }
    }

    const fn lease(generation: u8) -> LeaseWord {
        LeaseWord {
            state: LeaseState::Valid as u8,
            generation,
            pad: [0; 2],
            grants: generation as u32,
        }
    }

    #[test]
    fn epoch_after_each_pair_of_roles() {
        use Role::{Active, Backup, Claiming};
        let table = [
            (Backup, Backup, 5),
            (Backup, Claiming, 6),
            (Backup, Active, 6),
            (Claiming, Backup, 6),
            (Claiming, Claiming, 5),
            (Claiming, Active, 5),
            (Active, Backup, 6),
            (Active, Claiming, 6),
            (Active, Active, 5),
        ];
        for (from, to, epoch) in table {
            let stored = next(word(from, 1, 5), demoted(3), to, 9, 1);
            let expected = RoleWord {
                peer: 9,
                ..word(to, 1, epoch)
            };
            assert_eq!(stored, Ok(expected), "{from:?} to {to:?}");
        }
    }

    #[test]
    fn another_lease_begins_another_term() {
        for role in [Role::Claiming, Role::Active] {
            let stored = next(word(role, 1, 5), demoted(5), Role::Active, 0, 2);
            assert_eq!(stored, Ok(word(Role::Active, 2, 6)));
        }
    }

    #[test]
    fn a_late_store_does_not_undo_a_demotion() {
        let claim = word(Role::Claiming, 1, 5);
        let stored = next(claim, demoted(5), Role::Active, 0, 1).unwrap();
        assert_eq!(
            standing(stored, demoted(5), lease(1)),
            Standing::Fenced(Fence::Demoted)
        );
    }

    #[test]
    fn a_claim_that_goes_on_against_a_demotion_is_another_one() {
        let claim = word(Role::Claiming, 1, 5);
        let stored = next(claim, demoted(5), Role::Claiming, 0, 1);
        assert_eq!(stored, Ok(word(Role::Claiming, 1, 6)));
        let active = next(word(Role::Active, 1, 5), demoted(5), Role::Active, 0, 1);
        assert_eq!(active, Ok(word(Role::Active, 1, 5)));
    }

    #[test]
    fn only_a_role_of_a_demoted_epoch_is_taken_back() {
        for role in [Role::Claiming, Role::Active] {
            assert!(is_taken_back(word(role, 1, 5), demoted(5)));
            assert!(is_taken_back(word(role, 1, 5), demoted(6)));
            assert!(!is_taken_back(word(role, 1, 5), demoted(4)));
        }
        assert!(!is_taken_back(word(Role::Backup, 1, 5), demoted(5)));
    }

    #[test]
    fn the_last_epoch_can_only_be_given_up() {
        for role in [Role::Claiming, Role::Active] {
            assert_eq!(
                next(word(Role::Backup, 1, u32::MAX), demoted(0), role, 0, 1),
                Err(EpochsExhausted)
            );
            assert_eq!(
                next(word(Role::Backup, 1, 1), demoted(u32::MAX), role, 0, 1),
                Err(EpochsExhausted)
            );
            let backup = next(word(role, 1, u32::MAX), demoted(0), Role::Backup, 0, 1);
            assert_eq!(backup, Ok(word(Role::Backup, 1, u32::MAX)));
        }
    }

    proptest! {
        #[test]
        fn a_new_term_stands_and_a_backup_never_does(
            from in prop::sample::select(&ROLES[..]),
            to in prop::sample::select(&ROLES[..]),
            epoch in 0..u32::MAX,
            demoted_epoch in 0..u32::MAX,
            generation: u8,
        ) {
            let current = word(from, generation.wrapping_sub(1), epoch);
            let stored = next(current, demoted(demoted_epoch), to, 0, generation).unwrap();
            prop_assert!(stored.epoch >= epoch);
            let expected = match to {
                Role::Backup => Standing::Backup,
                Role::Claiming => Standing::Claiming,
                Role::Active => Standing::Active,
            };
            let stands = standing(stored, demoted(demoted_epoch), lease(generation));
            prop_assert_eq!(stands, expected);
        }
    }
}
