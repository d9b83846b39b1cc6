//! What liveness changes for an election.

use std::{net::IpAddr, time::Duration};

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::{Liveness, Machine, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, active, advert, at, backup, claim, config,
    set_role,
};

const LOSS: Duration = Duration::from_millis(3);

fn watching() -> VrrpConfig {
    let mut config = config();
    config.loss_grace = LOSS;
    config.is_pair = true;
    config
}

fn liveness(peer: IpAddr, state: Liveness) -> Input {
    Input::Liveness { peer, state }
}

fn answer(peer: IpAddr, is_active: bool) -> Input {
    Input::Answer { peer, is_active }
}

/// Follows [`GREATER`], which lives and was last heard at `at(INTERVAL * 2)`.
fn following() -> Machine {
    let mut machine = backup(watching());
    let _ = machine.handle(at(INTERVAL), liveness(GREATER, Liveness::Up));
    for n in 1..=2 {
        let _ = machine.handle(at(INTERVAL * n), advert(GREATER, 200));
    }
    machine
}

#[test]
fn a_lost_active_node_is_told_so_and_replaced_when_it_must_have_heard() {
    let mut machine = following();
    let now = at(INTERVAL * 2 + LOSS);
    let commands = machine.handle(now, liveness(GREATER, Liveness::Lost));
    let mut expected = claim(PRIORITY, None, Cause::ActiveLost);
    expected.insert(1, Command::TellUnheard { peer: GREATER });
    assert_eq!(commands, expected);
    assert_eq!(machine.deadline(), Some(now + LOSS));
    let commands = machine.handle(now + LOSS, Input::Timer);
    assert_eq!(commands[0], set_role(Role::Active, None, Cause::ActiveLost));
}

#[test]
fn a_node_whose_lease_lapsed_is_silent_and_replaced_at_once() {
    let mut machine = following();
    let now = at(INTERVAL * 2 + LOSS);
    let commands = machine.handle(now, liveness(GREATER, Liveness::Down));
    assert_eq!(commands[0], set_role(Role::Active, None, Cause::ActiveDown));
    assert!(!commands.contains(&Command::TellUnheard { peer: GREATER }));
}

#[test]
fn a_release_between_two_is_taken_over_without_skew() {
    let mut machine = following();
    let now = at(INTERVAL * 3);
    let _ = machine.handle(now, advert(GREATER, 0));
    assert_eq!(machine.deadline(), Some(now));
    let commands = machine.handle(now, Input::Timer);
    let cause = Cause::ActiveReleased;
    assert_eq!(commands[0], set_role(Role::Active, None, cause));
}

#[test]
fn who_is_not_fit_or_has_just_started_replaces_nobody() {
    let fault = Input::Fitness(ha_core::track::Fitness::Faulty { check: 0 });
    let mut unfit = following();
    let _ = unfit.handle(at(INTERVAL * 2), fault);
    let mut late = watching();
    late.startup_delay = DOWN * 9;
    let mut late = backup(late);
    let _ = late.handle(at(INTERVAL), advert(GREATER, 200));
    for mut machine in [unfit, late] {
        let lost = liveness(GREATER, Liveness::Lost);
        let commands = machine.handle(at(INTERVAL * 2 + LOSS), lost);
        let unknown = set_role(Role::Backup, None, Cause::ActiveChanged);
        assert_eq!(commands, [unknown]);
    }
}

#[test]
fn another_peers_loss_changes_nothing() {
    for state in [Liveness::Up, Liveness::Lost, Liveness::Down] {
        let mut machine = following();
        let deadline = machine.deadline();
        let commands = machine.handle(at(INTERVAL * 2), liveness(LESSER, state));
        assert_eq!(commands, []);
        assert_eq!(machine.deadline(), deadline);
    }
}

#[test]
fn an_owner_does_not_mind_the_loss_of_a_backup() {
    let mut machine = active(watching());
    let now = at(DOWN + INTERVAL);
    assert_eq!(machine.handle(now, liveness(GREATER, Liveness::Lost)), []);
    assert_eq!(machine.role(), Role::Active);
}

/// Its advertisements stopped at `at(INTERVAL * 2)`, but it lives.
fn asking() -> Machine {
    let mut machine = following();
    let silent = machine.deadline().expect("a Backup waits");
    let commands = machine.handle(silent, Input::Timer);
    let lost = Cause::AdvertsLost { peer: GREATER };
    assert_eq!(
        commands,
        [
            set_role(Role::Backup, Some(GREATER), lost),
            Command::Ask { peer: GREATER },
        ]
    );
    machine
}

#[test]
fn a_living_node_is_not_replaced_because_its_advertisements_do_not_arrive() {
    let mut machine = asking();
    for _ in 0..5 {
        let next = machine.deadline().unwrap();
        assert_eq!(machine.handle(next, answer(GREATER, true)), []);
        let again = machine.handle(next, Input::Timer);
        assert_eq!(again, [Command::Ask { peer: GREATER }], "and told once");
        assert_eq!(machine.deadline(), Some(next + INTERVAL));
    }
    let now = machine.deadline().unwrap();
    let lost = machine.handle(now, liveness(GREATER, Liveness::Lost));
    assert_eq!(lost[0], set_role(Role::Claiming, None, Cause::ActiveLost));
}

#[test]
fn an_advertisement_ends_the_doubt() {
    let mut machine = asking();
    let now = machine.deadline().unwrap();
    assert_eq!(machine.handle(now, advert(GREATER, 200)), []);
    assert!(machine.deadline() > Some(now + INTERVAL));
    assert_eq!(machine.handle(now, answer(GREATER, false)), [], "too late");
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn a_living_node_that_denies_is_replaced() {
    let mut machine = asking();
    let now = machine.deadline().unwrap();
    let commands = machine.handle(now, answer(GREATER, false));
    // It may be about to do the same, so this one claims first.
    assert_eq!(commands, claim(PRIORITY, None, Cause::ActiveDenied));
}

#[test]
fn who_was_never_heard_is_asked_too() {
    let mut machine = backup(watching());
    let _ = machine.handle(at(INTERVAL), liveness(GREATER, Liveness::Up));
    let commands = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(commands, [Command::Ask { peer: GREATER }]);
    let commands = machine.handle(at(DOWN), answer(GREATER, false));
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
}

#[test]
fn all_who_live_have_to_deny() {
    let mut machine = backup(watching());
    for peer in [GREATER, LESSER] {
        let _ = machine.handle(at(INTERVAL), liveness(peer, Liveness::Up));
    }
    let asked = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(machine.handle(at(DOWN), answer(GREATER, false)), []);
    assert_eq!(machine.role(), Role::Backup);
    let _ = machine.handle(at(DOWN), answer(LESSER, false));
    assert_eq!(machine.role(), Role::Claiming);
}

/// Preempts [`LESSER`], which lives, and has said nothing for `GRACE` since it was claimed from.
fn unanswered() -> (Machine, ha_core::time::Time) {
    let mut machine = backup(watching());
    let _ = machine.handle(at(INTERVAL), liveness(LESSER, Liveness::Up));
    let _ = machine.handle(at(DOWN - INTERVAL), advert(LESSER, 50));
    let commands = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
    let end = at(DOWN + GRACE);
    let commands = machine.handle(end, Input::Timer);
    assert_eq!(commands[1..], [Command::Ask { peer: LESSER }]);
    assert_eq!(machine.role(), Role::Claiming);
    (machine, end)
}

#[test]
fn a_claim_is_not_made_good_over_a_living_owner() {
    let (mut machine, end) = unanswered();
    let commands = machine.handle(end, answer(LESSER, true));
    let cause = Cause::NotYielding {
        peer: LESSER,
        priority: 50,
    };
    assert_eq!(commands, [set_role(Role::Backup, Some(LESSER), cause)]);
}

#[test]
fn a_claim_is_made_good_when_the_living_deny() {
    let (mut machine, end) = unanswered();
    let commands = machine.handle(end, answer(LESSER, false));
    assert_eq!(commands[0], set_role(Role::Active, None, Cause::Yielded));
}

#[test]
fn an_owner_that_dies_while_it_is_claimed_from_is_not_waited_for() {
    let mut machine = backup(watching());
    let _ = machine.handle(at(DOWN - INTERVAL), advert(LESSER, 50));
    let _ = machine.handle(at(DOWN), Input::Timer);
    let commands = machine.handle(at(DOWN), liveness(LESSER, Liveness::Lost));
    assert_eq!(commands, [Command::TellUnheard { peer: LESSER }]);
    assert_eq!(machine.deadline(), Some(at(DOWN + LOSS)));
}

#[test]
fn who_may_live_and_not_hear_is_replaced_by_its_missing_advertisements_only() {
    let mut machine = following();
    let unprobed = {
        let mut machine = backup(watching());
        for n in 1..=2 {
            let _ = machine.handle(at(INTERVAL * n), advert(GREATER, 200));
        }
        machine
    };
    let now = at(INTERVAL * 2 + LOSS);
    let commands = machine.handle(now, liveness(GREATER, Liveness::Unknown));
    assert_eq!(commands, []);
    assert_eq!(machine.deadline(), unprobed.deadline());
    let down = machine.deadline().expect("a Backup waits");
    let commands = machine.handle(down, Input::Timer);
    let questions = |command: &Command| matches!(command, Command::Ask { .. });
    assert!(!commands.iter().any(questions), "nobody would answer");
    assert_ne!(machine.role(), Role::Backup);
}

#[test]
fn a_claim_over_one_that_may_live_and_not_hear_is_not_made_good_sooner() {
    let mut machine = backup(watching());
    let _ = machine.handle(at(INTERVAL), liveness(LESSER, Liveness::Up));
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 50));
    let begin = at(INTERVAL + LOSS);
    let _ = machine.handle(begin, Input::Promote);
    assert_eq!(machine.role(), Role::Claiming);
    let deadline = machine.deadline();
    let commands = machine.handle(begin + LOSS, liveness(LESSER, Liveness::Unknown));
    assert_eq!((commands, machine.deadline()), (Vec::new(), deadline));
    // It goes on advertising, so it stays the only owner.
    for n in 2..=20 {
        let _ = machine.handle(at(INTERVAL * n), advert(LESSER, 50));
        let _ = machine.handle(at(INTERVAL * n), Input::Timer);
        assert_ne!(machine.role(), Role::Active);
    }
}
