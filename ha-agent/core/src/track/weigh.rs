//! From the states of all checks of a group to its priority, or to a fault.

use super::State;

/// Priority of the owner of the addresses (RFC 9568 section 5.2.4): no check moves it.
const OWNER: u8 = 255;
/// The greatest priority of a router that is not the owner.
const MAX: i64 = 254;
/// The smallest: 0 means "released".
const MIN: i64 = 1;

/// What the state of a check does to its group, with the signs that keepalived gives to weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// While it is not well the group is not eligible (keepalived: weight 0).
    Fault,
    /// A positive weight is added while it is well; a negative one while it is not.
    Weight(i32),
    /// Its number times this factor is added.
    Factor(i32),
}

/// What a group's checks amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// It may take part with this priority, 1 to 255.
    Eligible {
        /// The effective priority.
        priority: u8,
    },
    /// A hard fault: it may not be Active. The index is that of the first check that says so.
    Faulty {
        /// Position in the list of checks.
        check: usize,
    },
}

/// Weighs `checks` against the configured priority.
///
/// A check of which nothing is known counts as well, so that a start does not look like a fault. An
/// owner keeps its 255, but not through a hard fault.
#[must_use]
pub fn weigh(base: u8, checks: &[(State, Effect)]) -> Fitness {
    if let Some(check) = checks
        .iter()
        .position(|&(state, effect)| effect == Effect::Fault && is_down(state))
    {
        return Fitness::Faulty { check };
    }
    if base == OWNER {
        return Fitness::Eligible { priority: OWNER };
    }
    let sum: i64 = checks
        .iter()
        .map(|&(state, effect)| contribution(state, effect))
        .sum();
    let priority = (i64::from(base) + sum).clamp(MIN, MAX);
    Fitness::Eligible {
        priority: u8::try_from(priority).unwrap_or(base),
    }
}

fn is_down(state: State) -> bool {
    match state {
        State::Down => true,
        State::Unknown | State::Up | State::Number(_) => false,
    }
}

fn contribution(state: State, effect: Effect) -> i64 {
    match (effect, state) {
        (Effect::Weight(weight), State::Up) if weight > 0 => i64::from(weight),
        (Effect::Weight(weight), State::Down) if weight < 0 => i64::from(weight),
        (Effect::Factor(factor), State::Number(number)) => i64::from(factor) * i64::from(number),
        (Effect::Fault | Effect::Weight(_) | Effect::Factor(_), _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect::*, Fitness, State::*, weigh};

    fn eligible(priority: u8) -> Fitness {
        Fitness::Eligible { priority }
    }

    #[test]
    fn without_checks_the_base_is_the_priority() {
        assert_eq!(weigh(100, &[]), eligible(100));
    }

    #[test]
    fn a_positive_weight_counts_while_up_and_a_negative_one_while_down() {
        assert_eq!(weigh(100, &[(Up, Weight(20))]), eligible(120));
        assert_eq!(weigh(100, &[(Down, Weight(20))]), eligible(100));
        assert_eq!(weigh(100, &[(Up, Weight(-20))]), eligible(100));
        assert_eq!(weigh(100, &[(Down, Weight(-20))]), eligible(80));
    }

    #[test]
    fn a_number_is_multiplied_and_added() {
        assert_eq!(weigh(100, &[(Number(-7), Factor(2))]), eligible(86));
    }

    #[test]
    fn the_sum_stays_between_1_and_254() {
        assert_eq!(weigh(100, &[(Down, Weight(-200))]), eligible(1));
        assert_eq!(
            weigh(100, &[(Number(i32::MAX), Factor(i32::MAX))]),
            eligible(254)
        );
    }

    #[test]
    fn an_owner_keeps_its_priority_but_not_through_a_fault() {
        assert_eq!(weigh(255, &[(Down, Weight(-200))]), eligible(255));
        assert_eq!(weigh(255, &[(Down, Fault)]), Fitness::Faulty { check: 0 });
    }

    #[test]
    fn the_first_fault_is_named() {
        assert_eq!(
            weigh(
                100,
                &[
                    (Down, Weight(-1)),
                    (Up, Fault),
                    (Down, Fault),
                    (Down, Fault)
                ]
            ),
            Fitness::Faulty { check: 2 }
        );
    }

    #[test]
    fn nothing_known_is_no_fault() {
        assert_eq!(
            weigh(100, &[(Unknown, Fault), (Unknown, Weight(-50))]),
            eligible(100)
        );
    }
}
