//! Promote and release.

use std::{net::Ipv4Addr, time::Duration};

use ha_core::election::{Cause, Command, Election, Input, Refusal, Role};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, activation, active, advert, at, backup,
    claim, config, direct, send, send_to, set_role,
};

const STEP: Duration = Duration::from_millis(10);

fn promoted_against(peer: std::net::IpAddr, priority: u8) -> (Vec<Command>, u8) {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(peer, priority));
    let commands = machine.handle(at(INTERVAL), Input::Promote);
    (commands, machine.priority())
}

#[test]
fn bids_one_more_than_the_active_node_has() {
    let cause = Cause::OperatorPromoted;
    for (peer, priority, bid) in [(GREATER, 50, 100), (GREATER, 200, 201), (GREATER, 253, 254)] {
        let (commands, now) = promoted_against(peer, priority);
        assert_eq!(commands, claim(bid, Some(peer), cause));
        assert_eq!(now, bid);
    }
    let (commands, _) = promoted_against(LESSER, 254);
    assert_eq!(
        commands,
        claim(254, Some(LESSER), cause),
        "a tie that is won"
    );
}

#[test]
fn refuses_what_no_priority_can_reach() {
    for (peer, priority) in [(GREATER, 254), (GREATER, 255), (LESSER, 255)] {
        let (commands, now) = promoted_against(peer, priority);
        let reason = Refusal::NotOutranked { peer, priority };
        assert_eq!(commands, [Command::Refused { reason }]);
        assert_eq!(now, PRIORITY);
    }
}

#[test]
fn keeps_the_bid_until_it_yields() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let _ = machine.handle(at(INTERVAL), Input::Promote);
    let commands = machine.handle(at(INTERVAL), direct(GREATER, 0));
    assert_eq!(commands, activation(201, Cause::Yielded));
    let commands = machine.handle(at(INTERVAL * 2), advert(GREATER, 200));
    assert_eq!(commands, [send(201), Command::Announce]);
    let _ = machine.handle(at(INTERVAL * 3), advert(GREATER, 202));
    assert_eq!(
        (machine.role(), machine.priority()),
        (Role::Backup, PRIORITY)
    );
}

#[test]
fn gives_the_bid_back_with_the_role() {
    for input in [Input::Release, Input::LeaseLapsed, Input::Stop] {
        let mut machine = backup(config());
        let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
        let _ = machine.handle(at(INTERVAL), Input::Promote);
        let _ = machine.handle(at(INTERVAL), direct(GREATER, 0));
        let _ = machine.handle(at(INTERVAL), input);
        assert_eq!(machine.priority(), PRIORITY);
    }
}

#[test]
fn claims_when_nobody_is_known_but_the_timer_runs() {
    let mut machine = backup(config());
    let commands = machine.handle(at(STEP), Input::Promote);
    assert_eq!(commands, claim(PRIORITY, None, Cause::OperatorPromoted));
    let commands = machine.handle(at(STEP + GRACE), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::OperatorPromoted));
}

#[test]
fn claims_no_longer_than_the_timer_would_have_run() {
    let mut machine = backup(config());
    let _ = machine.handle(at(DOWN - STEP), Input::Promote);
    assert_eq!(machine.deadline(), Some(at(DOWN)));
    let mut machine = backup(config());
    let commands = machine.handle(at(DOWN), Input::Promote);
    assert_eq!(commands, activation(PRIORITY, Cause::OperatorPromoted));
}

#[test]
fn bids_again_against_whom_it_did_not_know() {
    let mut machine = backup(config());
    let _ = machine.handle(at(STEP), Input::Promote);
    let commands = machine.handle(at(STEP * 2), advert(GREATER, 150));
    assert_eq!(commands, claim(151, Some(GREATER), Cause::OperatorPromoted));
    assert_eq!(machine.deadline(), Some(at(STEP * 2 + GRACE)));

    let other = Ipv4Addr::new(10, 0, 0, 9).into();
    let commands = machine.handle(at(STEP * 3), advert(other, 180));
    let cause = Cause::HigherPriority {
        peer: other,
        priority: 180,
    };
    let yielded = [
        set_role(Role::Backup, Some(other), cause),
        send_to(other, 151),
    ];
    assert_eq!(
        commands, yielded,
        "only once: the other may be the operator's later wish"
    );
}

#[test]
fn a_released_node_waits_and_does_not_preempt() {
    let mut machine = active(config());
    let now = DOWN + GRACE;
    let _ = machine.handle(at(now), Input::Release);
    assert_eq!(machine.deadline(), Some(at(now + DOWN)));
    let heard = now + STEP;
    let _ = machine.handle(at(heard), advert(LESSER, 1));
    assert_eq!(machine.deadline(), Some(at(heard + DOWN)));
    let heard = heard + INTERVAL * 2;
    let _ = machine.handle(at(heard), advert(LESSER, 1));
    let commands = machine.handle(at(heard + DOWN), Input::Timer);
    assert_eq!(
        commands,
        activation(PRIORITY, Cause::ActiveSilent { silence: DOWN })
    );
}

#[test]
fn a_released_node_follows_a_release() {
    let mut machine = active(config());
    let now = DOWN + GRACE;
    let _ = machine.handle(at(now), Input::Release);
    let _ = machine.handle(at(now + INTERVAL), advert(LESSER, 1));
    let _ = machine.handle(at(now + INTERVAL), advert(LESSER, 0));
    let due = machine.deadline().unwrap();
    let commands = machine.handle(due, Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn promotion_ends_the_hold() {
    let mut machine = active(config());
    let now = DOWN + GRACE;
    let _ = machine.handle(at(now), Input::Release);
    let _ = machine.handle(at(now + STEP), advert(LESSER, 1));
    let commands = machine.handle(at(now + STEP), Input::Promote);
    assert_eq!(
        commands,
        claim(PRIORITY, Some(LESSER), Cause::OperatorPromoted)
    );
    let _ = machine.handle(at(now + STEP), direct(LESSER, 0));
    let _ = machine.handle(at(now + STEP), advert(GREATER, 200));
    let lower = machine.deadline();
    let _ = machine.handle(at(now + STEP * 2), advert(LESSER, 1));
    assert_eq!(machine.deadline(), lower, "it preempts again");
}

#[test]
fn the_owner_of_the_addresses_preempts_whatever_the_mode_but_not_after_a_release() {
    let mut config = config();
    config.priority = 255.try_into().unwrap();
    config.preempt = false;
    let mut machine = ha_core::vrrp::Machine::new(config);
    let _ = machine.handle(at(STEP), Input::Start);
    let _ = machine.handle(at(STEP), Input::Release);
    let _ = machine.handle(at(STEP), advert(LESSER, 100));
    let heard = machine.deadline();
    let _ = machine.handle(at(STEP * 2), advert(LESSER, 100));
    assert_ne!(
        machine.deadline(),
        heard,
        "released: any Active node counts"
    );

    let _ = machine.handle(at(STEP * 2), Input::Stop);
    let _ = machine.handle(at(STEP * 2), Input::Start);
    assert_eq!(machine.role(), Role::Claiming);
}
