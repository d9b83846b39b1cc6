//! Claiming: the hand-over between live nodes.

use std::time::Duration;

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::Machine,
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, OWN, PRIORITY, V6_PEER, activation, advert, at, backup,
    check, claiming, config, direct, send, send_to, set_role,
};

const STEP: Duration = Duration::from_millis(10);

#[test]
fn every_input() {
    let now = at(DOWN + STEP);
    let end = Some(at(DOWN + GRACE));
    let extended = Some(at(DOWN + STEP + GRACE));
    let still = |name, input| (name, input, Vec::new(), Role::Claiming, end);
    let back = |active, cause| set_role(Role::Backup, active, cause);
    let yielded = activation(PRIORITY, Cause::Yielded);
    let active = Some(at(DOWN + STEP + INTERVAL));
    let down = Some(at(DOWN + STEP + DOWN));
    let to_better = |priority| {
        let cause = Cause::HigherPriority {
            peer: GREATER,
            priority,
        };
        vec![back(Some(GREATER), cause), send_to(GREATER, PRIORITY)]
    };
    let released = vec![back(Some(LESSER), Cause::OperatorReleased)];
    let lapsed = vec![back(Some(LESSER), Cause::LeaseLapsed)];
    let stopped = vec![back(Some(LESSER), Cause::Stopping)];
    check(
        &claiming(config()),
        now,
        vec![
            still("start", Input::Start),
            still("early timer", Input::Timer),
            (
                "acknowledged",
                direct(LESSER, 0),
                yielded,
                Role::Active,
                active,
            ),
            still("acknowledged by a stranger", direct(GREATER, 0)),
            still("released to all", advert(LESSER, 0)),
            still("released by a stranger", advert(GREATER, 0)),
            still("a claimer gives way", direct(LESSER, 50)),
            (
                "worse",
                advert(LESSER, 50),
                vec![send(PRIORITY)],
                Role::Claiming,
                extended,
            ),
            (
                "tie won",
                advert(LESSER, 100),
                vec![send(PRIORITY)],
                Role::Claiming,
                extended,
            ),
            (
                "tie lost",
                advert(GREATER, 100),
                to_better(100),
                Role::Backup,
                down,
            ),
            (
                "better",
                advert(GREATER, 101),
                to_better(101),
                Role::Backup,
                down,
            ),
            still("other family", advert(V6_PEER, 200)),
            still("own echo", advert(OWN.into(), 200)),
            still("promote", Input::Promote),
            (
                "operator releases",
                Input::Release,
                released,
                Role::Backup,
                down,
            ),
            ("lapse", Input::LeaseLapsed, lapsed, Role::Backup, None),
            ("stop", Input::Stop, stopped, Role::Backup, None),
        ],
    );
}

#[test]
fn goes_on_without_acknowledgement_when_the_grace_is_over() {
    let mut machine = claiming(config());
    let commands = machine.handle(at(DOWN + GRACE), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::YieldTimeout));
}

#[test]
fn advertises_again_each_interval() {
    let mut machine = claiming({
        let mut config = config();
        config.yield_grace = INTERVAL * 10;
        config
    });
    for n in 1..5 {
        let due = at(DOWN + INTERVAL * n);
        assert_eq!(machine.deadline(), Some(due));
        assert_eq!(machine.handle(due, Input::Timer), [send(PRIORITY)]);
    }
}

#[test]
fn after_a_release_to_all_the_priorities_decide_who_is_first() {
    let mut machine = claiming({
        let mut config = config();
        config.yield_grace = INTERVAL * 10;
        config
    });
    let now = DOWN + STEP;
    assert_eq!(machine.handle(at(now), advert(LESSER, 0)), []);
    let end = now + crate::bench::SKEW;
    assert_eq!(machine.deadline(), Some(at(end)));
    let commands = machine.handle(at(end), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn waits_for_every_advertiser() {
    let other = std::net::Ipv4Addr::new(10, 0, 0, 3).into();
    let mut machine = claiming(config());
    let _ = machine.handle(at(DOWN), advert(other, 60));
    assert_eq!(machine.handle(at(DOWN), direct(LESSER, 0)), []);
    assert_eq!(machine.role(), Role::Claiming);
    let commands = machine.handle(at(DOWN), direct(other, 60));
    assert_eq!(commands, activation(PRIORITY, Cause::Yielded));
}

#[test]
fn a_claimer_that_gives_way_does_not_make_the_claim_good() {
    let mut machine = claiming(config());
    assert_eq!(machine.handle(at(DOWN + STEP), direct(LESSER, 50)), []);
    assert_eq!(machine.deadline(), Some(at(DOWN + GRACE)));
}

/// A claim against a peer that advertises on, up to the moment when it gives up.
fn deaf_peer() -> (Machine, Duration, Vec<Command>) {
    let mut machine = claiming(config());
    let mut now = DOWN;
    loop {
        now += GRACE / 2;
        let commands = machine.handle(at(now), advert(LESSER, 50));
        if commands != [send(PRIORITY)] {
            return (machine, now, commands);
        }
        assert!(now < DOWN + INTERVAL * 10, "it claims for ever");
    }
}

#[test]
fn a_deaf_peer_is_left_alone_and_tried_again_later() {
    let (mut machine, mut now, commands) = deaf_peer();
    let cause = Cause::NotYielding {
        peer: LESSER,
        priority: 50,
    };
    assert_eq!(commands, [set_role(Role::Backup, Some(LESSER), cause)]);
    let given_up = now;
    while machine.role() == Role::Backup {
        now += INTERVAL;
        let _ = machine.handle(at(now), advert(LESSER, 50));
        let _ = machine.handle(at(now), Input::Timer);
    }
    assert!(now >= given_up + DOWN * 10, "after {:?}", now - given_up);
    assert!(now <= given_up + DOWN * 12, "after {:?}", now - given_up);
}

#[test]
fn a_deaf_peer_is_replaced_when_it_falls_silent() {
    let (mut machine, given_up, _) = deaf_peer();
    let heard = given_up + INTERVAL;
    let _ = machine.handle(at(heard), advert(LESSER, 50));
    let commands = machine.handle(at(heard + DOWN), Input::Timer);
    assert_eq!(
        commands,
        activation(PRIORITY, Cause::ActiveSilent { silence: DOWN })
    );
}

#[test]
fn a_lapse_of_the_own_lease_is_not_the_peers_deafness() {
    let (mut machine, now, _) = deaf_peer();
    let _ = machine.handle(at(now), Input::LeaseLapsed);
    let _ = machine.handle(at(now), Input::Start);
    let _ = machine.handle(at(now + INTERVAL), advert(LESSER, 50));
    assert_eq!(
        machine.deadline(),
        Some(at(now + DOWN)),
        "it preempts again"
    );
}

#[test]
fn two_who_gave_way_to_each_other_do_not_both_take_over_at_once() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 50));
    let _ = machine.handle(at(INTERVAL), Input::Promote);
    let _ = machine.handle(at(INTERVAL), Input::Release);
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
    let _ = machine.handle(at(INTERVAL + DOWN), Input::Timer);
    assert_eq!(machine.role(), Role::Claiming);
}
