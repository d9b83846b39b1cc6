//! What checks do to an election.

use ha_core::{
    election::{Cause, Command, Election, Input, Refusal, Role},
    track::Fitness,
    vrrp::Machine,
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, active, advert, at, backup, claim, claiming,
    config, send, set_role,
};

const FAULT: Input = Input::Fitness(Fitness::Faulty { check: 0 });

const fn eligible(priority: u8) -> Input {
    Input::Fitness(Fitness::Eligible { priority })
}

const LATER: core::time::Duration = DOWN.saturating_add(INTERVAL);

#[test]
fn an_active_node_whose_check_fails_lets_go() {
    let mut machine = active(config());
    let commands = machine.handle(at(LATER), FAULT);
    assert_eq!(
        commands,
        [
            set_role(Role::Backup, None, Cause::CheckFailed),
            Command::StopAnnouncing,
            send(0),
        ]
    );
    assert_eq!(machine.handle(at(LATER), FAULT), [], "once");
}

#[test]
fn a_claimer_whose_check_fails_has_nothing_to_release() {
    let mut machine = claiming(config());
    let commands = machine.handle(at(DOWN), FAULT);
    assert_eq!(
        commands,
        [set_role(Role::Backup, Some(LESSER), Cause::CheckFailed)]
    );
}

/// Lets time pass, and expects nothing to happen.
fn waits(machine: &mut Machine, times: u32) {
    for _ in 0..times {
        let deadline = machine.deadline().expect("a Backup waits");
        assert_eq!(machine.handle(deadline, Input::Timer), []);
    }
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn an_unfit_node_takes_over_from_nobody() {
    let mut machine = backup(config());
    assert_eq!(machine.handle(at(INTERVAL), FAULT), []);
    waits(&mut machine, 5);
    let reason = Refusal::CheckFailed;
    let refused = machine.handle(at(DOWN * 9), Input::Promote);
    assert_eq!(refused, [Command::Refused { reason }]);
}

#[test]
fn an_unfit_node_goes_on_listening_so_that_stale_traffic_finds_its_way() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), FAULT);
    let commands = machine.handle(at(INTERVAL), advert(LESSER, 1));
    assert_eq!(
        commands,
        [set_role(Role::Backup, Some(LESSER), Cause::ActiveChanged)]
    );
}

#[test]
fn an_unfit_owner_of_the_addresses_starts_as_backup() {
    let mut config = config();
    config.priority = 255.try_into().unwrap();
    let mut machine = Machine::new(config);
    let _ = machine.handle(at(INTERVAL), FAULT);
    let commands = machine.handle(at(INTERVAL), Input::Start);
    assert_eq!(commands, [set_role(Role::Backup, None, Cause::Started)]);
}

#[test]
fn a_recovered_node_listens_before_it_takes_over() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), FAULT);
    waits(&mut machine, 3);
    let now = at(DOWN * 20);
    assert_eq!(machine.handle(now, eligible(PRIORITY)), []);
    assert_eq!(machine.deadline(), Some(now + DOWN));
    let commands = machine.handle(now + DOWN, Input::Timer);
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
}

#[test]
fn a_fault_outlives_a_lapse() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), FAULT);
    let _ = machine.handle(at(INTERVAL), Input::LeaseLapsed);
    let _ = machine.handle(at(INTERVAL), Input::Start);
    waits(&mut machine, 3);
}

#[test]
fn a_changed_priority_is_advertised_at_once() {
    let mut machine = active(config());
    assert_eq!(machine.handle(at(LATER), eligible(80)), [send(80)]);
    assert_eq!(machine.deadline(), Some(at(LATER + INTERVAL)));
    assert_eq!(machine.handle(at(LATER), eligible(80)), [], "once");
    assert_eq!(
        machine.handle(at(LATER), advert(LESSER, 90))[0],
        set_role(
            Role::Backup,
            Some(LESSER),
            Cause::HigherPriority {
                peer: LESSER,
                priority: 90
            }
        )
    );
}

#[test]
fn a_raised_priority_preempts() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, PRIORITY + 10));
    assert_eq!(machine.handle(at(INTERVAL), eligible(PRIORITY + 20)), []);
    let down = machine.deadline().unwrap();
    let _ = machine.handle(at(INTERVAL * 2), advert(GREATER, PRIORITY + 10));
    assert_eq!(machine.deadline(), Some(down), "it does not count any more");
    let commands = machine.handle(down, Input::Timer);
    assert_eq!(
        commands,
        claim(PRIORITY + 20, Some(GREATER), Cause::Preempting)
    );
}

#[test]
fn a_promoted_node_keeps_its_bid_while_checks_lower_it() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let commands = machine.handle(at(INTERVAL), Input::Promote);
    assert_eq!(commands, claim(201, Some(GREATER), Cause::OperatorPromoted));
    assert_eq!(machine.handle(at(INTERVAL), eligible(50)), []);
    assert_eq!(machine.priority(), 201);
    assert_eq!(machine.handle(at(INTERVAL), eligible(220)), [send(220)]);
}

#[test]
fn a_node_that_the_kernel_demoted_is_backup_and_listens() {
    let cause = Cause::Demoted { priority: 200 };
    let demoted = Input::Demoted { priority: 200 };
    let mut machine = active(config());
    let now = at(LATER);
    assert_eq!(
        machine.handle(now, demoted.clone()),
        [set_role(Role::Backup, None, cause), Command::StopAnnouncing]
    );
    assert_eq!(machine.deadline(), Some(now + DOWN));
    assert_eq!(machine.handle(now, demoted.clone()), [], "it is Backup");
    let mut machine = claiming(config());
    assert_eq!(
        machine.handle(at(DOWN + GRACE / 2), demoted),
        [set_role(Role::Backup, Some(LESSER), cause)]
    );
}
