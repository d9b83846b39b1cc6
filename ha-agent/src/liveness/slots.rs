//! Which slot of `ha_live` a way has: the one that it had, or one that no way had before.

/// The slot of each entry of `new`, and whether it is the one that the same entry of `old` has. The slots of `old`
/// are `taken`, in the same order, and then those that were given up before.
///
/// A slot that is given up is given to another entry only if there is no other, so that what is still under way
/// about the former is not taken for news of the latter.
pub(super) fn assign<T: PartialEq>(old: &[T], taken: &[u32], new: &[T]) -> Vec<(u32, bool)> {
    let slot_of = |entry: &T| {
        let place = old.iter().position(|other| other == entry)?;
        taken.get(place).copied()
    };
    let kept: Vec<_> = new.iter().map(slot_of).collect();
    let is_kept = |slot: &u32| kept.contains(&Some(*slot));
    // Enough for all: as many numbers as there are entries in both lists, those that are free before those that become so.
    let all = 0..(taken.len() + new.len()) as u32;
    let unused = all.filter(|slot| !taken.contains(slot));
    let most = ha_common::abi::MAX_LIVE;
    let mut free = unused
        .filter(|slot| *slot < most)
        .chain(taken.iter().copied().filter(|slot| !is_kept(slot)));
    kept.iter()
        .map(|kept| match kept {
            Some(slot) => (*slot, true),
            // The configuration has no more ways than there are slots.
            None => (free.next().unwrap_or_default(), false),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::assign;

    #[test]
    fn what_stays_keeps_its_slot_and_what_comes_gets_one_that_nothing_had() {
        assert_eq!(assign(&[], &[], &["a", "b"]), [(0, false), (1, false)]);
        let slots = assign(&["a", "b"], &[0, 1], &["c", "b"]);
        assert_eq!(slots, [(2, false), (1, true)]);
        let slots = assign(&["c", "b"], &[2, 1], &["b", "a", "c"]);
        assert_eq!(slots, [(1, true), (0, false), (2, true)]);
    }

    #[test]
    fn what_was_given_up_before_is_left_alone() {
        assert_eq!(
            assign(&["a"], &[0, 1], &["a", "b"]),
            [(0, true), (2, false)]
        );
    }

    #[test]
    fn when_all_are_taken_those_that_are_given_up_are_used() {
        let most = ha_common::abi::MAX_LIVE;
        let taken: Vec<_> = (0..most).collect();
        let mut new = taken.clone();
        new[7] = 1000;
        let slots = assign(&taken, &taken, &new);
        assert_eq!(slots[7], (7, false));
        assert!(slots.iter().filter(|(_, kept)| *kept).count() + 1 == taken.len());
    }
}
