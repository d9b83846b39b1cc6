//! Active (RFC 9568 section 6.4.3).

use std::time::Duration;

use ha_core::election::{Cause, Command, Election, Input, Role};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, OWN, PRIORITY, V6_PEER, active, advert, advert_every,
    at, check, config, direct, send, send_to, set_role,
};

const SINCE: Duration = DOWN.saturating_add(GRACE);

#[test]
fn every_input() {
    let half = SINCE + INTERVAL / 2;
    let due = Some(at(SINCE + INTERVAL));
    let reset = Some(at(half + INTERVAL));
    let down = Some(at(half + DOWN));
    let still = |name, input| (name, input, Vec::new(), Role::Active, due);
    let silenced = |active, cause, last: Option<Command>| {
        let first = [
            set_role(Role::Backup, active, cause),
            Command::StopAnnouncing,
        ];
        first.into_iter().chain(last).collect::<Vec<_>>()
    };
    let yielded = |priority| {
        let cause = Cause::HigherPriority {
            peer: GREATER,
            priority,
        };
        silenced(Some(GREATER), cause, Some(send_to(GREATER, 0)))
    };
    let asserted = vec![send(PRIORITY), Command::Announce];
    let released = silenced(None, Cause::OperatorReleased, Some(send(0)));
    let lapsed = silenced(None, Cause::LeaseLapsed, None);
    let gave_way = silenced(None, Cause::GaveWay, None);
    let stopped = silenced(None, Cause::Stopping, Some(send(0)));
    check(
        &active(config()),
        at(half),
        vec![
            still("start", Input::Start),
            still("early timer", Input::Timer),
            (
                "release by a peer",
                advert(LESSER, 0),
                vec![send(PRIORITY)],
                Role::Active,
                reset,
            ),
            still("late acknowledgement", direct(LESSER, 0)),
            still("late giving way", direct(LESSER, 50)),
            (
                "worse",
                advert(LESSER, 99),
                asserted.clone(),
                Role::Active,
                reset,
            ),
            (
                "tie won",
                advert(LESSER, 100),
                asserted,
                Role::Active,
                reset,
            ),
            (
                "tie lost",
                advert(GREATER, 100),
                yielded(100),
                Role::Backup,
                down,
            ),
            (
                "better",
                advert(GREATER, 101),
                yielded(101),
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
            ("gave way", Input::GaveWay, gave_way, Role::Backup, None),
            ("stop", Input::Stop, stopped, Role::Backup, None),
        ],
    );
}

#[test]
fn advertises_each_interval() {
    let mut machine = active(config());
    for n in 1..5 {
        let due = at(SINCE + INTERVAL * n);
        assert_eq!(machine.deadline(), Some(due));
        assert_eq!(machine.handle(due, Input::Timer), [send(PRIORITY)]);
    }
}

#[test]
fn a_late_timer_is_not_made_up_for() {
    let mut machine = active(config());
    let late = SINCE + INTERVAL * 10;
    assert_eq!(machine.handle(at(late), Input::Timer), [send(PRIORITY)]);
    assert_eq!(machine.deadline(), Some(at(late + INTERVAL)));
}

#[test]
fn adopts_the_interval_of_whom_it_yields_to() {
    let mut machine = active(config());
    let _ = machine.handle(at(SINCE), advert_every(GREATER, 200, 10));
    assert_eq!(machine.deadline(), Some(at(SINCE + DOWN / 10)));
}

#[test]
fn announces_once_for_each_time_that_a_loser_appears() {
    let mut machine = active(config());
    let hear = |machine: &mut ha_core::vrrp::Machine, now| {
        machine
            .handle(at(now), advert(LESSER, 50))
            .contains(&Command::Announce)
    };
    assert!(hear(&mut machine, SINCE));
    assert!(!hear(&mut machine, SINCE + INTERVAL));
    assert!(!hear(&mut machine, SINCE + INTERVAL * 2));
    assert!(
        hear(&mut machine, SINCE + INTERVAL * 2 + DOWN),
        "it was gone for long enough"
    );
}
