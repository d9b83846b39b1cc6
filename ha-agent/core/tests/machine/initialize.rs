//! Initialize: nothing happens before the start (RFC 9568 section 6.4.1).

use ha_core::{
    election::{Cause, Command, Election, Input, Refusal, Role},
    time::Time,
    vrrp::Machine,
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, advert, at, backup, check, claim, config, direct, set_role,
};

#[test]
fn every_input() {
    let refused = vec![Command::Refused {
        reason: Refusal::NotRunning,
    }];
    let started = vec![set_role(Role::Backup, None, Cause::Started)];
    let idle = |name, input| (name, input, Vec::new(), Role::Backup, None);
    check(
        &Machine::new(config()),
        Time::default(),
        vec![
            ("start", Input::Start, started, Role::Backup, Some(at(DOWN))),
            idle("timer", Input::Timer),
            idle("better advertisement", advert(GREATER, 200)),
            idle("release by a peer", advert(GREATER, 0)),
            idle("acknowledgement", direct(GREATER, 0)),
            ("promote", Input::Promote, refused, Role::Backup, None),
            idle("release", Input::Release),
            idle("lease lapsed", Input::LeaseLapsed),
            idle("stop", Input::Stop),
        ],
    );
}

#[test]
fn the_owner_of_the_addresses_advertises_at_once_and_answers_when_nobody_else_does() {
    let mut config = config();
    config.priority = 255.try_into().unwrap();
    let mut machine = Machine::new(config);
    let commands = machine.handle(Time::default(), Input::Start);
    assert_eq!(commands, claim(255, None, Cause::AddressOwner));
    assert_eq!(machine.deadline(), Some(at(GRACE)));
    let commands = machine.handle(at(GRACE), Input::Timer);
    assert_eq!(
        commands[0],
        set_role(Role::Active, None, Cause::AddressOwner)
    );
}

#[test]
fn a_started_machine_does_not_start_again() {
    let mut machine = backup(config());
    assert_eq!(machine.handle(at(INTERVAL), Input::Start), []);
    assert_eq!(machine.deadline(), Some(at(DOWN)));
}

#[test]
fn a_new_lease_starts_with_a_full_timer_and_remembers_who_is_active() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let _ = machine.handle(at(INTERVAL * 2), Input::LeaseLapsed);
    assert_eq!(machine.deadline(), None);
    let commands = machine.handle(at(INTERVAL * 3), Input::Start);
    assert_eq!(
        commands,
        [set_role(Role::Backup, Some(GREATER), Cause::Started)]
    );
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 3 + DOWN)));
}

#[test]
fn a_release_before_the_start_is_remembered() {
    let mut machine = Machine::new(config());
    let _ = machine.handle(Time::default(), Input::Release);
    let _ = machine.handle(Time::default(), Input::Start);
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 50));
    assert_eq!(
        machine.deadline(),
        Some(at(INTERVAL + DOWN)),
        "a lower priority counts: this node does not preempt"
    );
}
