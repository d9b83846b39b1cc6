//! Handing over, drained and in maintenance.

use std::{net::IpAddr, time::Duration};

use ha_core::{
    election::{Cause, Command, Duty, Election, Input, Refusal, Role},
    track::Fitness,
    vrrp::{Machine, Peers, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, activation, active, advert, at, backup,
    check, claim, claiming, config, direct, send, send_to, set_role,
};

const STEP: Duration = Duration::from_millis(10);
/// When [`active`] is Active.
const NOW: Duration = Duration::from_micros(3_809_375);
/// How long the heir is waited for.
const PATIENCE: Duration = Duration::from_micros(2 * 3_609_375 + 200_000);

fn handing_over(to: Option<IpAddr>) -> Machine {
    let mut machine = active(config());
    let _ = machine.handle(at(NOW), Input::HandOver { to });
    assert!(machine.hands_over());
    machine
}

/// Backup of [`GREATER`], which is Active with priority 200.
fn following(config: VrrpConfig) -> Machine {
    let mut machine = backup(config);
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    machine
}

fn asked_by(peer: IpAddr) -> Cause {
    Cause::AskedToTakeOver { peer }
}

#[test]
fn the_owner_asks_one_and_goes_on_serving() {
    let mut machine = active(config());
    let commands = machine.handle(at(NOW), Input::HandOver { to: Some(LESSER) });
    assert_eq!(commands, [send_to(LESSER, 1)]);
    assert_eq!((machine.role(), machine.priority()), (Role::Active, 1));
    let due = machine.deadline().unwrap();
    assert_eq!(due, at(NOW + INTERVAL));
    let commands = machine.handle(due, Input::Timer);
    assert_eq!(commands, [send(1), send_to(LESSER, 1)], "again");

    let mut machine = active(config());
    let commands = machine.handle(at(NOW), Input::HandOver { to: None });
    assert_eq!(commands, [send(1)]);
}

#[test]
fn whatever_happens_to_who_hands_over() {
    let claimed = |peer, priority| {
        let cause = Cause::HandedOver { peer };
        vec![
            set_role(Role::Backup, Some(peer), cause),
            Command::StopAnnouncing,
            send_to(peer, priority),
        ]
    };
    let next = Some(at(NOW + INTERVAL));
    let followed = Some(at(NOW + DOWN));
    check(
        &handing_over(Some(LESSER)),
        at(NOW),
        vec![
            (
                "the heir claims",
                advert(LESSER, 101),
                claimed(LESSER, 0),
                Role::Backup,
                followed,
            ),
            (
                "another claims",
                advert(GREATER, 2),
                claimed(GREATER, 0),
                Role::Backup,
                followed,
            ),
            (
                "another one that hands over",
                advert(LESSER, 1),
                vec![send(1), send_to(LESSER, 1), Command::Announce],
                Role::Active,
                next,
            ),
            (
                "its own question comes back",
                direct(LESSER, 1),
                Vec::new(),
                Role::Active,
                next,
            ),
            (
                "the operator asks for another",
                Input::HandOver { to: Some(GREATER) },
                vec![send_to(GREATER, 1)],
                Role::Active,
                next,
            ),
            (
                "the operator takes it back",
                Input::Promote,
                vec![send(PRIORITY)],
                Role::Active,
                next,
            ),
            (
                "the kernel was quicker",
                Input::Demoted { priority: 101 },
                vec![
                    set_role(Role::Backup, None, Cause::Demoted { priority: 101 }),
                    Command::StopAnnouncing,
                ],
                Role::Backup,
                followed,
            ),
            (
                "checks move the priority",
                Input::Fitness(Fitness::Eligible { priority: 150 }),
                Vec::new(),
                Role::Active,
                next,
            ),
            (
                "another member has handed over",
                Input::Leave,
                Vec::new(),
                Role::Active,
                next,
            ),
        ],
    );
}

#[test]
fn nobody_takes_it_so_it_goes_back_to_the_priority_it_would_have() {
    for (fitness, expected) in [(None, PRIORITY), (Some(150), 150), (Some(20), 20)] {
        let mut machine = handing_over(Some(LESSER));
        if let Some(priority) = fitness {
            let input = Input::Fitness(Fitness::Eligible { priority });
            assert_eq!(machine.handle(at(NOW), input), []);
        }
        let end = at(NOW + PATIENCE);
        while machine.deadline().unwrap() < end {
            let due = machine.deadline().unwrap();
            let _ = machine.handle(due, Input::Timer);
            assert_eq!(machine.priority(), 1);
        }
        assert_eq!(machine.deadline(), Some(end));
        assert_eq!(machine.handle(end, Input::Timer), [send(expected)]);
        assert!(!machine.hands_over());
        assert_eq!(machine.role(), Role::Active);
    }
}

#[test]
fn who_has_handed_over_does_not_come_back_until_the_heir_is_gone() {
    for by_kernel in [false, true] {
        let mut machine = handing_over(Some(LESSER));
        if by_kernel {
            let _ = machine.handle(at(NOW), Input::Demoted { priority: 99 });
        }
        let _ = machine.handle(at(NOW), advert(LESSER, 99));
        assert_eq!(
            (machine.role(), machine.priority()),
            (Role::Backup, PRIORITY)
        );
        let _ = machine.handle(at(NOW + INTERVAL), advert(LESSER, 50));
        let due = at(NOW + INTERVAL + DOWN);
        assert_eq!(machine.deadline(), Some(due), "it follows a lower priority");
        let cause = Cause::ActiveSilent { silence: DOWN };
        assert_eq!(
            machine.handle(due, Input::Timer),
            activation(PRIORITY, cause)
        );
    }
}

#[test]
fn only_the_owner_can_hand_over() {
    let reason = Refusal::NotActive;
    for mut machine in [Machine::new(config()), backup(config()), claiming(config())] {
        let commands = machine.handle(at(DOWN), Input::HandOver { to: None });
        assert_eq!(commands, [Command::Refused { reason }]);
    }
}

#[test]
fn who_is_asked_claims_whatever_the_mode() {
    for (preempt, preempt_delay) in [(true, 0), (false, 0), (true, 60)] {
        let config = VrrpConfig {
            preempt,
            preempt_delay: Duration::from_secs(preempt_delay),
            ..config()
        };
        // Above who follows the owner, if it alone is asked.
        for (question, bid) in [(direct(GREATER, 1), 201), (advert(GREATER, 1), PRIORITY)] {
            let mut machine = following(config.clone());
            let commands = machine.handle(at(INTERVAL), question);
            assert_eq!(commands, claim(bid, Some(GREATER), asked_by(GREATER)));
            let commands = machine.handle(at(INTERVAL), direct(GREATER, 0));
            assert_eq!(commands, activation(bid, Cause::Yielded));
        }
    }
}

#[test]
fn a_question_that_is_put_again_is_no_acknowledgement() {
    let mut machine = following(config());
    let _ = machine.handle(at(INTERVAL), direct(GREATER, 1));
    assert_eq!(machine.handle(at(INTERVAL), direct(GREATER, 1)), []);
    let _ = machine.handle(at(INTERVAL + GRACE / 2), advert(GREATER, 1));
    assert_eq!(
        machine.handle(at(INTERVAL + GRACE / 2), direct(GREATER, 1)),
        []
    );
    assert_eq!(
        machine.handle(at(INTERVAL + GRACE), Input::Timer),
        [],
        "the owner advertises, so it is waited for"
    );
    assert_eq!(machine.role(), Role::Claiming);
}

#[test]
fn an_owner_of_the_addresses_can_be_relieved_too() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 255));
    let commands = machine.handle(at(INTERVAL), direct(GREATER, 1));
    assert_eq!(commands, claim(254, Some(GREATER), asked_by(GREATER)));
}

#[test]
fn not_everything_of_priority_1_asks() {
    let mut stranger = following(config());
    assert_eq!(stranger.handle(at(INTERVAL), direct(LESSER, 1)), []);
    assert_eq!(stranger.role(), Role::Backup, "it is not followed");

    let mut least = backup(config());
    for _ in 0..3 {
        let _ = least.handle(at(STEP), advert(LESSER, 1));
        assert_eq!(least.role(), Role::Backup, "it has never been higher");
    }

    let mut member = following(VrrpConfig {
        is_synced: true,
        ..config()
    });
    assert_eq!(member.handle(at(INTERVAL), advert(GREATER, 1)), []);
    assert_eq!(member.role(), Role::Backup, "it waits for the others");
    let _ = member.handle(at(INTERVAL), advert(GREATER, 200));
    let commands = member.handle(at(INTERVAL), direct(GREATER, 1));
    assert_eq!(commands, claim(201, Some(GREATER), asked_by(GREATER)));

    let mut unfit = following(config());
    let _ = unfit.handle(at(INTERVAL), Input::Fitness(Fitness::Faulty { check: 0 }));
    assert_eq!(unfit.handle(at(INTERVAL), direct(GREATER, 1)), []);

    for duty in [Duty::Drained, Duty::Maintenance] {
        let mut machine = following(config());
        let _ = machine.handle(at(INTERVAL), Input::Duty(duty));
        assert_eq!(machine.handle(at(INTERVAL), direct(GREATER, 1)), []);
        assert_eq!(machine.role(), Role::Backup, "{duty:?}");
    }
}

#[test]
fn among_unicast_peers_a_fall_to_priority_1_asks() {
    let mut machine = following(VrrpConfig {
        peers: Peers::Unicast([GREATER, LESSER].into()),
        ..config()
    });
    let commands = machine.handle(at(INTERVAL), direct(GREATER, 1));
    assert_eq!(commands, claim(PRIORITY, Some(GREATER), asked_by(GREATER)));
}

#[test]
fn a_drained_backup_preempts_nobody_and_replaces_who_dies() {
    let mut machine = backup(config());
    let _ = machine.handle(at(STEP), Input::Duty(Duty::Drained));
    assert_eq!(machine.priority(), 1);
    for _ in 0..2 {
        let _ = machine.handle(at(INTERVAL), advert(LESSER, 1));
    }
    let due = machine.deadline().unwrap();
    assert!(at(INTERVAL + INTERVAL * 3) < due);
    let _ = machine.handle(due, Input::Timer);
    assert_eq!((machine.role(), machine.priority()), (Role::Active, 1));
}

#[test]
fn a_drained_owner_asks_until_it_is_relieved_or_needed() {
    let mut machine = active(config());
    let commands = machine.handle(at(NOW), Input::Duty(Duty::Drained));
    assert_eq!(commands, [send(1)]);
    let _ = machine.handle(at(NOW), Input::HandOver { to: Some(LESSER) });
    let late = at(NOW + PATIENCE * 10);
    assert_eq!(
        machine.handle(late, Input::Timer),
        [send(1), send_to(LESSER, 1)]
    );
    let commands = machine.handle(late, Input::Duty(Duty::Serve));
    assert_eq!(commands, [send(PRIORITY)]);
    assert!(!machine.hands_over());
}

#[test]
fn undrained_it_preempts_as_before() {
    let mut machine = active(config());
    let _ = machine.handle(at(NOW), Input::Duty(Duty::Drained));
    let _ = machine.handle(at(NOW), Input::HandOver { to: Some(LESSER) });
    let _ = machine.handle(at(NOW), advert(LESSER, 50));
    let _ = machine.handle(at(NOW + INTERVAL), advert(LESSER, 50));
    let _ = machine.handle(at(NOW + INTERVAL), Input::Duty(Duty::Serve));
    assert_eq!(
        (machine.role(), machine.priority()),
        (Role::Backup, PRIORITY)
    );
    let due = machine.deadline().unwrap();
    let _ = machine.handle(due - STEP, advert(LESSER, 50));
    let commands = machine.handle(due, Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
}

#[test]
fn in_maintenance_the_owner_lets_go_at_last_and_takes_nothing() {
    let mut machine = active(config());
    let _ = machine.handle(at(NOW), Input::Duty(Duty::Maintenance));
    let _ = machine.handle(at(NOW), Input::HandOver { to: Some(LESSER) });
    assert_eq!(machine.role(), Role::Active);
    let mut due = machine.deadline().unwrap();
    let mut commands = machine.handle(due, Input::Timer);
    while machine.role() == Role::Active {
        assert_eq!(commands, [send(1), send_to(LESSER, 1)]);
        due = machine.deadline().unwrap();
        commands = machine.handle(due, Input::Timer);
    }
    assert!(
        due < at(NOW + PATIENCE + INTERVAL),
        "it did not wait for ever"
    );
    let expected = [
        set_role(Role::Backup, None, Cause::Maintenance),
        Command::StopAnnouncing,
        send(0),
    ];
    assert_eq!(commands, expected);
    let reason = Refusal::Maintenance;
    let refused = machine.handle(due, Input::Promote);
    assert_eq!(refused, [Command::Refused { reason }]);
    for _ in 0..5 {
        due = machine.deadline().unwrap().max(due);
        assert_eq!(machine.handle(due, Input::Timer), []);
    }
    let _ = machine.handle(due, Input::Duty(Duty::Serve));
    let due = machine.deadline().unwrap();
    let commands = machine.handle(due, Input::Timer);
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
}

#[test]
fn a_claim_ends_with_maintenance() {
    let mut machine = claiming(config());
    let commands = machine.handle(at(DOWN), Input::Duty(Duty::Maintenance));
    let expected = [set_role(Role::Backup, Some(LESSER), Cause::Maintenance)];
    assert_eq!(commands, expected);
}

#[test]
fn a_check_that_recovers_does_not_end_maintenance() {
    let mut machine = backup(config());
    let _ = machine.handle(at(STEP), Input::Duty(Duty::Maintenance));
    for fitness in [
        Fitness::Faulty { check: 0 },
        Fitness::Eligible { priority: 200 },
    ] {
        let _ = machine.handle(at(STEP), Input::Fitness(fitness));
    }
    let due = machine.deadline().unwrap();
    assert_eq!(machine.handle(due, Input::Timer), []);
    assert_eq!((machine.role(), machine.priority()), (Role::Backup, 1));
}
