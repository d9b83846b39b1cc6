//! Initialize: nothing happens before the start (RFC 9568 section 6.4.1).

use std::time::Duration;

use ha_core::{
    election::{Cause, Command, Election, Input, Refusal, Role},
    time::Time,
    track::Fitness,
    vrrp::Machine,
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, activation, active, advert, at, backup,
    check, claim, claiming, config, direct, send, send_to, set_role,
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
            (
                "resume",
                Input::Resume { priority: PRIORITY },
                activation(PRIORITY, Cause::Resumed),
                Role::Active,
                Some(at(INTERVAL)),
            ),
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

fn resumed(priority: u8) -> Machine {
    let mut machine = Machine::new(config());
    let _ = machine.handle(Time::default(), Input::Resume { priority });
    machine
}

#[test]
fn who_resumes_is_an_ordinary_active_node() {
    let silenced = |cause| {
        let role = set_role(Role::Backup, None, cause);
        vec![role, Command::StopAnnouncing]
    };
    let yielded = vec![
        set_role(
            Role::Backup,
            Some(GREATER),
            Cause::HigherPriority {
                peer: GREATER,
                priority: 200,
            },
        ),
        Command::StopAnnouncing,
        send_to(GREATER, 0),
    ];
    let stopped = [silenced(Cause::Stopping), vec![send(0)]].concat();
    let next = Some(at(INTERVAL * 2));
    let stays = |name, input, commands| (name, input, commands, Role::Active, next);
    check(
        &resumed(PRIORITY),
        at(INTERVAL),
        vec![
            stays("timer", Input::Timer, vec![send(PRIORITY)]),
            stays(
                "worse advertisement",
                advert(LESSER, 50),
                vec![send(PRIORITY), Command::Announce],
            ),
            (
                "better advertisement",
                advert(GREATER, 200),
                yielded,
                Role::Backup,
                Some(at(INTERVAL + DOWN)),
            ),
            (
                "lease lapsed",
                Input::LeaseLapsed,
                silenced(Cause::LeaseLapsed),
                Role::Backup,
                None,
            ),
            ("stop", Input::Stop, stopped, Role::Backup, None),
        ],
    );
}

#[test]
fn only_who_has_not_started_resumes() {
    for (mut machine, now) in [
        (backup(config()), Duration::ZERO),
        (claiming(config()), DOWN),
        (active(config()), DOWN + GRACE),
    ] {
        let deadline = machine.deadline();
        let resume = Input::Resume { priority: 250 };
        assert_eq!(machine.handle(at(now), resume), []);
        assert_eq!(
            (machine.deadline(), machine.priority()),
            (deadline, PRIORITY)
        );
    }
}

#[test]
fn a_promotion_outlasts_a_restart_until_the_node_yields() {
    let mut machine = resumed(151);
    assert_eq!(machine.priority(), 151);
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    assert_eq!(machine.priority(), PRIORITY);
    assert_eq!(resumed(50).priority(), PRIORITY, "it has been raised since");
    assert_eq!(
        resumed(255).priority(),
        PRIORITY,
        "255 is the owner's alone"
    );
}

#[test]
fn an_unfit_node_does_not_resume() {
    let mut machine = Machine::new(config());
    let _ = machine.handle(
        Time::default(),
        Input::Fitness(Fitness::Faulty { check: 0 }),
    );
    let commands = machine.handle(Time::default(), Input::Resume { priority: PRIORITY });
    assert_eq!(commands, [set_role(Role::Backup, None, Cause::Started)]);
}

#[test]
fn a_resumed_node_does_not_wait_for_its_startup_delay() {
    let mut config = config();
    config.startup_delay = INTERVAL * 60;
    let mut machine = Machine::new(config);
    let _ = machine.handle(Time::default(), Input::Resume { priority: PRIORITY });
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
}
