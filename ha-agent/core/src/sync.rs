//! Groups that move together: all of them are Active on this node, or none.
//!
//! Each member has an election of its own, with other peers perhaps, on another interface. A member that
//! comes to take over waits for the others; one that has to let go takes the others with it. So the
//! node that has lost one of its networks does not keep the other half of a route.

use crate::election::{Input, Role};

/// A member as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its role.
    pub role: Role,
    /// Whether it waits only for the others ([`Machine::is_ready`](crate::vrrp::Machine::is_ready)).
    pub is_ready: bool,
}

/// What is to be handed to which member, by its position, after one of them has changed.
///
/// `left` says that a member ceased to claim or to be Active. To be asked again after what it returned
/// was handed in: it returns nothing once the members agree.
#[must_use]
pub fn follow(members: &[Member], left: bool) -> Vec<(usize, Input)> {
    if left {
        return each(members, |member| member.role != Role::Backup, &Input::Leave);
    }
    let is_blocked = |member: &Member| member.role == Role::Backup && !member.is_ready;
    if members.iter().any(is_blocked) {
        return Vec::new();
    }
    each(members, |member| member.is_ready, &Input::Join)
}

fn each(
    members: &[Member],
    is_meant: impl Fn(&Member) -> bool,
    input: &Input,
) -> Vec<(usize, Input)> {
    let meant = members.iter().enumerate().filter(|(_, m)| is_meant(m));
    meant.map(|(index, _)| (index, input.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Input, Member, Role, follow};

    const ACTIVE: Member = member(Role::Active, false);
    const CLAIMING: Member = member(Role::Claiming, false);
    const BACKUP: Member = member(Role::Backup, false);
    const READY: Member = member(Role::Backup, true);

    const fn member(role: Role, is_ready: bool) -> Member {
        Member { role, is_ready }
    }

    #[test]
    fn a_member_waits_until_all_are_ready() {
        assert_eq!(follow(&[READY, BACKUP], false), []);
        assert_eq!(
            follow(&[READY, READY], false),
            [(0, Input::Join), (1, Input::Join)]
        );
    }

    #[test]
    fn a_member_that_is_late_joins_those_that_have_taken_over() {
        for taken in [CLAIMING, ACTIVE] {
            assert_eq!(follow(&[taken, READY], false), [(1, Input::Join)]);
            assert_eq!(follow(&[taken, BACKUP], false), [], "it is not its turn");
        }
    }

    #[test]
    fn who_leaves_takes_the_others_along() {
        assert_eq!(
            follow(&[BACKUP, ACTIVE, CLAIMING, READY], true),
            [(1, Input::Leave), (2, Input::Leave)]
        );
    }

    #[test]
    fn members_that_agree_are_left_alone() {
        assert_eq!(follow(&[ACTIVE, ACTIVE], false), []);
        assert_eq!(follow(&[BACKUP, BACKUP], false), []);
        assert_eq!(follow(&[BACKUP, READY], true), []);
    }
}
