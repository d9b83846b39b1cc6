//! The owner finishes what it has begun, and hands on what is new, before the heir claims.

use std::{net::IpAddr, time::Duration};

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::{Liveness, Machine, Peers, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, activation, active, advert, at, backup,
    check, config, direct, send, send_to, set_role,
};

const SETTLE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(10);
/// When [`active`] is Active.
const NOW: Duration = Duration::from_micros(3_809_375);

fn settling_config() -> VrrpConfig {
    VrrpConfig {
        settle: SETTLE,
        ..config()
    }
}

const fn hand_on(to: Option<IpAddr>) -> Command {
    Command::HandOn { to }
}

/// Has asked [`LESSER`] at `at(NOW)`.
fn asking(config: VrrpConfig) -> Machine {
    let mut machine = active(config);
    let commands = machine.handle(at(NOW), Input::HandOver { to: Some(LESSER) });
    assert_eq!(commands, [send_to(LESSER, 1)]);
    machine
}

/// Hands on to [`LESSER`] since `at(NOW)`.
fn handing_on() -> Machine {
    let mut machine = asking(settling_config());
    let commands = machine.handle(at(NOW), direct(LESSER, 0));
    assert_eq!(commands, [hand_on(Some(LESSER))]);
    machine
}

/// Was asked by [`GREATER`] at `at(INTERVAL)`, which was Active with priority 200.
fn settling(config: VrrpConfig) -> Machine {
    let mut machine = backup(config);
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let commands = machine.handle(at(INTERVAL), direct(GREATER, 1));
    let cause = Cause::AskedToTakeOver { peer: GREATER };
    let expected = [
        set_role(Role::Claiming, Some(GREATER), cause),
        send_to(GREATER, 0),
    ];
    assert_eq!(commands, expected, "it outranks nobody yet");
    machine
}

#[test]
fn whatever_happens_to_an_owner_that_hands_on() {
    let end = Some(at(NOW + SETTLE * 2));
    let advertised = Some(at(NOW + INTERVAL));
    check(
        &handing_on(),
        at(NOW),
        vec![
            (
                "the heir says it again",
                direct(LESSER, 0),
                Vec::new(),
                Role::Active,
                end,
            ),
            (
                "the heir claims",
                advert(LESSER, 101),
                vec![
                    set_role(
                        Role::Backup,
                        Some(LESSER),
                        Cause::HandedOver { peer: LESSER },
                    ),
                    Command::StopAnnouncing,
                    send_to(LESSER, 0),
                ],
                Role::Backup,
                Some(at(NOW + DOWN)),
            ),
            (
                "the heir is lost",
                Input::Liveness {
                    peer: LESSER,
                    state: Liveness::Lost,
                },
                vec![hand_on(None)],
                Role::Active,
                advertised,
            ),
            (
                "another node is lost",
                Input::Liveness {
                    peer: GREATER,
                    state: Liveness::Lost,
                },
                Vec::new(),
                Role::Active,
                end,
            ),
            (
                "the operator takes it back",
                Input::Promote,
                vec![hand_on(None), send(PRIORITY)],
                Role::Active,
                advertised,
            ),
            (
                "the operator asks for another",
                Input::HandOver { to: Some(GREATER) },
                vec![hand_on(None), send_to(GREATER, 1)],
                Role::Active,
                advertised,
            ),
            (
                "the operator asks for it again",
                Input::HandOver { to: Some(LESSER) },
                Vec::new(),
                Role::Active,
                end,
            ),
        ],
    );
}

#[test]
fn an_heir_that_does_not_claim_gets_nothing_for_long() {
    let mut machine = handing_on();
    let end = at(NOW + SETTLE * 2);
    assert_eq!(machine.handle(end, Input::Timer), [hand_on(None)]);
    let due = at(NOW + INTERVAL);
    assert_eq!(machine.deadline(), Some(due));
    let commands = machine.handle(due, Input::Timer);
    assert_eq!(commands, [send(1), send_to(LESSER, 1)], "it is asked again");
    let commands = machine.handle(due, direct(LESSER, 0));
    assert_eq!(commands, [hand_on(Some(LESSER))]);
}

#[test]
fn the_others_hear_nothing_of_it_meanwhile() {
    let settle = INTERVAL * 2;
    let mut machine = asking(VrrpConfig { settle, ..config() });
    let _ = machine.handle(at(NOW), direct(LESSER, 0));
    let commands = machine.handle(at(NOW + INTERVAL), Input::Timer);
    assert_eq!(commands, [send(PRIORITY)]);
    assert_eq!(machine.priority(), 1, "who claims outranks it");
}

#[test]
fn only_the_heir_can_be_ready() {
    for ready in [direct(GREATER, 0), advert(LESSER, 0), direct(LESSER, 50)] {
        let mut machine = asking(settling_config());
        let commands = machine.handle(at(NOW), ready);
        assert!(!commands.contains(&hand_on(Some(LESSER))), "{commands:?}");
        assert!(!commands.contains(&hand_on(Some(GREATER))), "{commands:?}");
    }
    let mut machine = active(settling_config());
    assert_eq!(machine.handle(at(NOW), direct(LESSER, 0)), []);
    let mut machine = asking(config());
    assert_eq!(machine.handle(at(NOW), direct(LESSER, 0)), [], "it is off");
}

#[test]
fn the_heir_claims_when_the_owner_has_settled() {
    let mut machine = settling(settling_config());
    assert_eq!(machine.deadline(), Some(at(INTERVAL + SETTLE)));
    let commands = machine.handle(at(INTERVAL + STEP), advert(GREATER, 200));
    assert_eq!(commands, [], "the owner goes on");
    let commands = machine.handle(at(INTERVAL + STEP), direct(GREATER, 1));
    assert_eq!(commands, [send_to(GREATER, 0)], "it had not heard it");

    let due = at(INTERVAL + SETTLE);
    assert_eq!(machine.handle(due, Input::Timer), [send(201)]);
    assert_eq!(machine.role(), Role::Claiming);
    assert_eq!(machine.deadline(), Some(due + GRACE));
    let commands = machine.handle(due, direct(GREATER, 0));
    assert_eq!(commands, activation(201, Cause::Yielded));
}

#[test]
fn whatever_happens_to_an_heir_that_waits() {
    let now = INTERVAL + STEP;
    let gone = Cause::HigherPriority {
        peer: LESSER,
        priority: 220,
    };
    let lost = |state| Input::Liveness {
        peer: GREATER,
        state,
    };
    let soon = Some(at(INTERVAL + SETTLE));
    check(
        &settling(settling_config()),
        at(now),
        vec![
            (
                "the owner lets go for all",
                advert(GREATER, 0),
                vec![send(201)],
                Role::Claiming,
                Some(at(now + Duration::from_nanos(214_843_750).min(GRACE))),
            ),
            (
                "the owner lets go for it",
                direct(GREATER, 0),
                [vec![send(201)], activation(201, Cause::Yielded)].concat(),
                Role::Active,
                Some(at(now + INTERVAL)),
            ),
            (
                "a better one claims",
                advert(LESSER, 220),
                vec![
                    set_role(Role::Backup, Some(LESSER), gone),
                    send_to(LESSER, 201),
                ],
                Role::Backup,
                Some(at(now + DOWN)),
            ),
            (
                "a worse one advertises",
                advert(LESSER, 150),
                Vec::new(),
                Role::Claiming,
                soon,
            ),
            (
                "the owner is lost",
                lost(Liveness::Lost),
                vec![Command::TellUnheard { peer: GREATER }, send(201)],
                Role::Claiming,
                Some(at(now)),
            ),
            (
                "the owner's lease has ended",
                lost(Liveness::Down),
                vec![send(201)],
                Role::Claiming,
                Some(at(now)),
            ),
            (
                "the kernel was quicker",
                Input::Demoted { priority: 220 },
                vec![set_role(
                    Role::Backup,
                    Some(GREATER),
                    Cause::Demoted { priority: 220 },
                )],
                Role::Backup,
                Some(at(INTERVAL + DOWN)),
            ),
        ],
    );
}

#[test]
fn who_is_not_asked_alone_does_not_wait() {
    let mut machine = backup(settling_config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let commands = machine.handle(at(INTERVAL), advert(GREATER, 1));
    assert_eq!(commands.last(), Some(&send(PRIORITY)));
}

#[test]
fn of_two_unicast_peers_each_is_alone() {
    let unicast = |peer: IpAddr| VrrpConfig {
        peers: Peers::Unicast([peer].into()),
        ..settling_config()
    };
    let mut machine = settling(unicast(GREATER));
    let commands = machine.handle(at(INTERVAL), direct(GREATER, 1));
    assert_eq!(commands, [], "they would answer each other for ever");
    let due = at(INTERVAL + SETTLE);
    assert_eq!(machine.handle(due, Input::Timer), [send(201)]);

    let mut machine = asking(unicast(LESSER));
    let commands = machine.handle(at(NOW), direct(LESSER, 0));
    assert_eq!(commands, [hand_on(Some(LESSER))]);
}
