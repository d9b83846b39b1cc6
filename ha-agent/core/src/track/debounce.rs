//! From single observations to a state that does not flap.

/// What one run of a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It is well.
    Pass,
    /// It is not, or the check did not end in time.
    Fail,
    /// A number to be added to the priority as it is (a tracked file's).
    Number(i32),
    /// It cannot be said, and what was said before stands.
    Nothing,
}

/// What a check says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not observed often enough yet to say.
    Unknown,
    /// Well.
    Up,
    /// Not well.
    Down,
    /// A number.
    Number(i32),
}

/// `rise` passes in a row make a check [`State::Up`], `fall` failures in a row [`State::Down`].
///
/// The first observation decides alone, so that a start does not have to wait for `rise` runs.
#[derive(Clone, Copy, Debug)]
pub struct Debounce {
    rise: u32,
    fall: u32,
    state: State,
    against: u32,
}

impl Debounce {
    /// A check of which nothing is known. Zero counts as one.
    #[must_use]
    pub fn new(rise: u32, fall: u32) -> Self {
        Self {
            rise: rise.max(1),
            fall: fall.max(1),
            state: State::Unknown,
            against: 0,
        }
    }

    /// The state after the last observation.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes an observation; true if the state is another one than before.
    pub fn observe(&mut self, observation: Observation) -> bool {
        let before = self.state;
        self.state = match (self.state, observation) {
            (_, Observation::Number(number)) => State::Number(number),
            (state, Observation::Nothing) => state,
            (State::Up, Observation::Fail) => self.count_against(self.fall, State::Down),
            (State::Down, Observation::Pass) => self.count_against(self.rise, State::Up),
            (State::Unknown | State::Up | State::Number(_), Observation::Pass) => {
                self.settle(State::Up)
            }
            (State::Unknown | State::Down | State::Number(_), Observation::Fail) => {
                self.settle(State::Down)
            }
        };
        self.state != before
    }

    fn settle(&mut self, state: State) -> State {
        self.against = 0;
        state
    }

    fn count_against(&mut self, needed: u32, other: State) -> State {
        self.against += 1;
        if self.against < needed {
            self.state
        } else {
            self.settle(other)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Debounce, Observation, Observation::*, State};

    fn states(rise: u32, fall: u32, observations: &[Observation]) -> Vec<State> {
        let mut check = Debounce::new(rise, fall);
        observations
            .iter()
            .map(|&observation| {
                check.observe(observation);
                check.state()
            })
            .collect()
    }

    #[test]
    fn the_first_observation_decides_alone() {
        assert_eq!(states(3, 3, &[Pass]), [State::Up]);
        assert_eq!(states(3, 3, &[Fail]), [State::Down]);
    }

    #[test]
    fn fall_failures_in_a_row_bring_it_down() {
        assert_eq!(
            states(1, 3, &[Pass, Fail, Fail, Pass, Fail, Fail, Fail]),
            [
                State::Up,
                State::Up,
                State::Up,
                State::Up,
                State::Up,
                State::Up,
                State::Down
            ]
        );
    }

    #[test]
    fn rise_passes_in_a_row_bring_it_up() {
        assert_eq!(
            states(2, 1, &[Fail, Pass, Fail, Pass, Pass]),
            [
                State::Down,
                State::Down,
                State::Down,
                State::Down,
                State::Up
            ]
        );
    }

    #[test]
    fn a_number_is_taken_at_once() {
        assert_eq!(
            states(3, 3, &[Number(-5), Number(7)]),
            [State::Number(-5), State::Number(7)]
        );
    }

    #[test]
    fn what_cannot_be_said_changes_nothing() {
        assert_eq!(
            states(
                1,
                2,
                &[Nothing, Pass, Nothing, Fail, Nothing, Fail, Nothing]
            ),
            [
                State::Unknown,
                State::Up,
                State::Up,
                State::Up,
                State::Up,
                State::Down,
                State::Down
            ]
        );
    }

    #[test]
    fn zero_counts_as_one() {
        assert_eq!(
            states(0, 0, &[Pass, Fail, Pass]),
            [State::Up, State::Down, State::Up]
        );
    }

    #[test]
    fn change_is_reported_once() {
        let mut check = Debounce::new(1, 2);
        assert!(check.observe(Pass));
        assert!(!check.observe(Pass));
        assert!(!check.observe(Fail));
        assert!(check.observe(Fail));
        assert!(!check.observe(Fail));
    }
}
