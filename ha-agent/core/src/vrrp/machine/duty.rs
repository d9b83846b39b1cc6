//! What the operator lets this node do: take part, serve only what nobody else can, or nothing.

use super::{Hold, Machine, State, hand_over::LOWEST, let_go};
use crate::{
    election::{Cause, Command, Duty},
    time::Time,
};

impl Machine {
    /// What the operator lets it do.
    #[must_use]
    pub const fn duty(&self) -> Duty {
        self.duty
    }

    /// Takes note of it. An Active node goes on until it has handed over.
    pub(super) fn set_duty(&mut self, now: Time, duty: Duty) -> Vec<Command> {
        if self.duty == duty {
            return Vec::new();
        }
        self.duty = duty;
        match duty {
            Duty::Serve => {
                if self.hold == Hold::Operator {
                    self.hold = Hold::None;
                }
                let kept = self.keep(now);
                self.refit(now);
                let moved = self.set_base(now);
                if moved.is_empty() { kept } else { moved }
            }
            Duty::Drained => {
                self.ask_for_ever();
                self.refit(now);
                self.set_base(now)
            }
            Duty::Maintenance => match self.state {
                State::Active(_) => self.set_base(now),
                State::Claiming(_) => {
                    let commands = self.step_back(now, now, Cause::Maintenance);
                    self.is_fit = false;
                    let _ = self.set_base(now);
                    commands
                }
                State::Initialize | State::Backup(_) => {
                    self.is_fit = false;
                    self.set_base(now)
                }
            },
        }
    }

    /// The priority that the operator leaves of what the checks make of it.
    pub(super) const fn dutiful(&self) -> u8 {
        match self.duty {
            Duty::Serve => self.weighed,
            Duty::Drained | Duty::Maintenance => LOWEST,
        }
    }

    /// Lets go although nobody has claimed.
    pub(super) fn let_go_for(&mut self, now: Time, cause: Cause) -> Vec<Command> {
        let mut commands = self.step_back(now, now, cause);
        commands.push(let_go());
        commands
    }
}
