//! Election by an outside manager: it decides, through the control socket, and this node obeys.

use crate::{
    election::{Cause, Command, Election, Input, Refusal, Role},
    time::Time,
    track::Fitness,
};

/// A group whose owner somebody else chooses.
///
/// There are no timers and no messages between nodes: that there is never more than one owner is the
/// manager's to ensure, as that a node has let go before the next one is promoted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manual {
    state: State,
    /// A check has failed: the manager may not promote this node.
    is_unfit: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Initialize,
    Backup,
    Active,
}

impl Manual {
    /// A group that waits for [`Input::Start`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self) -> Vec<Command> {
        match self.state {
            State::Initialize => {
                self.state = State::Backup;
                vec![set_role(Role::Backup, Cause::Started)]
            }
            State::Backup | State::Active => Vec::new(),
        }
    }

    fn resume(&mut self) -> Vec<Command> {
        match self.state {
            State::Initialize if self.is_unfit => self.start(),
            State::Initialize => {
                self.state = State::Active;
                vec![set_role(Role::Active, Cause::Resumed), Command::Announce]
            }
            State::Backup | State::Active => Vec::new(),
        }
    }

    fn promote(&mut self) -> Vec<Command> {
        match self.state {
            State::Initialize => vec![Command::Refused {
                reason: Refusal::NotRunning,
            }],
            State::Backup if self.is_unfit => vec![Command::Refused {
                reason: Refusal::CheckFailed,
            }],
            State::Backup => {
                self.state = State::Active;
                vec![
                    set_role(Role::Active, Cause::OperatorPromoted),
                    Command::Announce,
                ]
            }
            State::Active => Vec::new(),
        }
    }

    fn weigh(&mut self, fitness: Fitness) -> Vec<Command> {
        self.is_unfit = match fitness {
            Fitness::Eligible { priority: _ } => false,
            Fitness::Faulty { check: _ } => true,
        };
        if self.is_unfit {
            return self.let_go(Cause::CheckFailed);
        }
        Vec::new()
    }

    fn let_go(&mut self, cause: Cause) -> Vec<Command> {
        match self.state {
            State::Initialize | State::Backup => Vec::new(),
            State::Active => self.fall_silent(State::Backup, cause),
        }
    }

    fn leave(&mut self, cause: Cause) -> Vec<Command> {
        match self.state {
            State::Initialize => Vec::new(),
            State::Backup | State::Active => self.fall_silent(State::Initialize, cause),
        }
    }

    fn fall_silent(&mut self, next: State, cause: Cause) -> Vec<Command> {
        let mut commands = vec![set_role(Role::Backup, cause)];
        match self.state {
            State::Initialize | State::Backup => {}
            State::Active => commands.push(Command::StopAnnouncing),
        }
        self.state = next;
        commands
    }
}

impl Election for Manual {
    fn handle(&mut self, _now: Time, input: Input) -> Vec<Command> {
        match input {
            Input::Start => self.start(),
            Input::Resume { priority: _ } => self.resume(),
            Input::Promote => self.promote(),
            Input::Release => self.let_go(Cause::OperatorReleased),
            Input::Fitness(fitness) => self.weigh(fitness),
            Input::Demoted { priority } => self.let_go(Cause::Demoted { priority }),
            Input::LeaseLapsed => self.leave(Cause::LeaseLapsed),
            Input::GaveWay => self.leave(Cause::GaveWay),
            Input::Stop => self.leave(Cause::Stopping),
            Input::Timer
            | Input::Advert { .. }
            | Input::Liveness { .. }
            | Input::Answer { .. }
            | Input::Witnessed
            | Input::HandOver { .. }
            | Input::Duty(_)
            | Input::Join
            | Input::Reconfigure(_)
            | Input::Leave => Vec::new(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn role(&self) -> Role {
        match self.state {
            State::Initialize | State::Backup => Role::Backup,
            State::Active => Role::Active,
        }
    }

    fn priority(&self) -> u8 {
        0
    }
}

const fn set_role(role: Role, cause: Cause) -> Command {
    Command::SetRole {
        role,
        active: None,
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::{Manual, State, set_role};
    use crate::{
        election::{Cause, Command, Election, Input, Refusal, Role},
        time::Time,
        track::Fitness,
    };

    const STATES: [State; 3] = [State::Initialize, State::Backup, State::Active];

    /// The state after an input, and the commands, from each of [`STATES`].
    type Row = (Input, [(State, Vec<Command>); 3]);

    fn table() -> Vec<Row> {
        use State::{Active, Backup, Initialize};
        let unmoved = || STATES.map(|state| (state, Vec::new()));
        let silenced = |cause| vec![set_role(Role::Backup, cause), Command::StopAnnouncing];
        let left = |input, cause| {
            let from_backup = (Initialize, vec![set_role(Role::Backup, cause)]);
            let from_active = (Initialize, silenced(cause));
            (input, [(Initialize, Vec::new()), from_backup, from_active])
        };
        let refused = vec![Command::Refused {
            reason: Refusal::NotRunning,
        }];
        let started = vec![set_role(Role::Backup, Cause::Started)];
        let resumed = vec![set_role(Role::Active, Cause::Resumed), Command::Announce];
        let promoted = vec![
            set_role(Role::Active, Cause::OperatorPromoted),
            Command::Announce,
        ];
        let released = silenced(Cause::OperatorReleased);
        let none = Vec::new;
        vec![
            (
                Input::Start,
                [(Backup, started), (Backup, none()), (Active, none())],
            ),
            (
                Input::Resume { priority: 0 },
                [(Active, resumed), (Backup, none()), (Active, none())],
            ),
            (
                Input::Promote,
                [(Initialize, refused), (Active, promoted), (Active, none())],
            ),
            (
                Input::Release,
                [(Initialize, none()), (Backup, none()), (Backup, released)],
            ),
            left(Input::LeaseLapsed, Cause::LeaseLapsed),
            left(Input::GaveWay, Cause::GaveWay),
            left(Input::Stop, Cause::Stopping),
            (
                Input::Fitness(Fitness::Faulty { check: 0 }),
                [
                    (Initialize, none()),
                    (Backup, none()),
                    (Backup, silenced(Cause::CheckFailed)),
                ],
            ),
            (
                Input::Demoted { priority: 7 },
                [
                    (Initialize, none()),
                    (Backup, none()),
                    (Backup, silenced(Cause::Demoted { priority: 7 })),
                ],
            ),
            (Input::Fitness(Fitness::Eligible { priority: 1 }), unmoved()),
            (Input::Timer, unmoved()),
            (Input::Join, unmoved()),
            (Input::Leave, unmoved()),
        ]
    }

    #[test]
    fn an_unfit_node_is_not_promoted_until_it_has_recovered() {
        let mut group = Manual {
            state: State::Backup,
            is_unfit: false,
        };
        let mut after = |fitness| {
            let _ = group.handle(Time::default(), Input::Fitness(fitness));
            group.handle(Time::default(), Input::Promote)
        };
        let reason = Refusal::CheckFailed;
        let refused = after(Fitness::Faulty { check: 0 });
        assert_eq!(refused, [Command::Refused { reason }]);
        let promoted = after(Fitness::Eligible { priority: 1 });
        assert_eq!(promoted[0], set_role(Role::Active, Cause::OperatorPromoted));
    }

    #[test]
    fn an_unfit_node_does_not_go_on() {
        let mut group = Manual {
            state: State::Initialize,
            is_unfit: true,
        };
        let commands = group.handle(Time::default(), Input::Resume { priority: 0 });
        assert_eq!(commands, [set_role(Role::Backup, Cause::Started)]);
    }

    #[test]
    fn every_state_and_input() {
        for (input, row) in table() {
            for (state, (next, commands)) in STATES.into_iter().zip(row) {
                let mut group = Manual {
                    state,
                    is_unfit: false,
                };
                assert_eq!(
                    group.handle(Time::default(), input.clone()),
                    commands,
                    "{state:?} on {input:?}"
                );
                assert_eq!(group.state, next, "{state:?} on {input:?}");
                assert_eq!(group.deadline(), None);
                assert_eq!(group.priority(), 0);
            }
        }
    }
}
