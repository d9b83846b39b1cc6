//! Backup (RFC 9568 section 6.4.2).

use std::time::Duration;

use ha_core::{
    election::{Cause, Election, Input, Role},
    vrrp::Machine,
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, OWN, PRIORITY, SKEW, V6_PEER, activation, advert,
    advert_every, at, backup, check, claim, config, direct, set_role,
};

/// Backup that has heard [`GREATER`] with priority 200 at one and two seconds.
fn following() -> Machine {
    let mut machine = backup(config());
    for n in 1..=2 {
        let _ = machine.handle(at(INTERVAL * n), advert(GREATER, 200));
    }
    machine
}

#[test]
fn every_input() {
    let now = at(INTERVAL * 3);
    let running = Some(at(INTERVAL * 2 + DOWN));
    let reset = Some(at(INTERVAL * 3 + DOWN));
    let skew = Some(at(INTERVAL * 3 + SKEW));
    let still = |name, input, deadline| (name, input, Vec::new(), Role::Backup, deadline);
    let changed = |active| vec![set_role(Role::Backup, active, Cause::ActiveChanged)];
    let backup = Role::Backup;
    let left = |cause| vec![set_role(backup, Some(GREATER), cause)];
    let outbid = claim(201, Some(GREATER), Cause::OperatorPromoted);
    let grace = Some(at(INTERVAL * 3 + GRACE));
    check(
        &following(),
        now,
        vec![
            still("start", Input::Start, running),
            still("early timer", Input::Timer, running),
            ("release", advert(GREATER, 0), changed(None), backup, skew),
            still("release by another", advert(LESSER, 0), skew),
            still("answer to no claim", direct(GREATER, 0), running),
            still("higher priority", advert(GREATER, 200), reset),
            still("same priority", advert(LESSER, 100), reset),
            still("same priority, greater", advert(GREATER, 100), reset),
            still("lower priority", advert(LESSER, 99), running),
            (
                "even higher",
                advert(LESSER, 201),
                changed(Some(LESSER)),
                backup,
                reset,
            ),
            still("other family", advert(V6_PEER, 200), running),
            still("own echo", advert(OWN.into(), 200), running),
            ("promote", Input::Promote, outbid, Role::Claiming, grace),
            still("operator releases", Input::Release, running),
            (
                "lapse",
                Input::LeaseLapsed,
                left(Cause::LeaseLapsed),
                backup,
                None,
            ),
            ("stop", Input::Stop, left(Cause::Stopping), backup, None),
        ],
    );
}

#[test]
fn takes_over_from_a_silent_active_node_at_once() {
    let mut machine = following();
    let end = INTERVAL * 2 + DOWN;
    assert_eq!(
        machine.handle(at(end - Duration::from_nanos(1)), Input::Timer),
        []
    );
    let commands = machine.handle(at(end), Input::Timer);
    assert_eq!(
        commands,
        activation(PRIORITY, Cause::ActiveSilent { silence: DOWN })
    );
    assert_eq!(machine.deadline(), Some(at(end + INTERVAL)));
}

#[test]
fn takes_over_a_skew_time_after_a_release() {
    let mut machine = following();
    let _ = machine.handle(at(INTERVAL * 3), advert(GREATER, 0));
    let commands = machine.handle(at(INTERVAL * 3 + SKEW), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn claims_for_the_time_of_contention_where_there_may_be_other_backups() {
    let mut machine = backup({
        let mut config = config();
        config.contention = Duration::from_millis(20);
        config
    });
    let _ = machine.handle(at(INTERVAL * 2), advert(GREATER, 200));
    let end = INTERVAL * 2 + DOWN;
    let cause = Cause::ActiveSilent { silence: DOWN };
    assert_eq!(
        machine.handle(at(end), Input::Timer),
        claim(PRIORITY, None, cause)
    );
    let end = end + Duration::from_millis(20);
    assert_eq!(machine.deadline(), Some(at(end)));
    assert_eq!(
        machine.handle(at(end), Input::Timer),
        activation(PRIORITY, cause)
    );
}

#[test]
fn learns_the_interval_of_the_active_node() {
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert_every(GREATER, 200, 10));
    let down = at(INTERVAL + DOWN / 10);
    assert_eq!(
        machine.deadline(),
        Some(down),
        "ten centiseconds instead of a hundred"
    );
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 0));
    assert_eq!(machine.deadline(), Some(at(INTERVAL) + SKEW / 10));
}

#[test]
fn preempts_a_live_node_of_lower_priority_by_a_claim() {
    let mut machine = backup(config());
    for n in 1..=3 {
        let _ = machine.handle(at(INTERVAL * n), advert(LESSER, 50));
        assert_eq!(
            machine.deadline(),
            Some(at(DOWN)),
            "lower priorities do not count"
        );
    }
    let commands = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
    assert_eq!(machine.deadline(), Some(at(DOWN + GRACE)));
}

#[test]
fn without_preempt_mode_any_active_node_counts() {
    let mut machine = backup({
        let mut config = config();
        config.preempt = false;
        config
    });
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 1));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
}

#[test]
fn a_timer_that_a_third_node_started_does_not_hurt_a_live_owner() {
    let mut machine = following();
    let _ = machine.handle(at(INTERVAL * 2), advert(LESSER, 0));
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 2 + SKEW)));
    assert_eq!(machine.handle(at(INTERVAL * 2 + SKEW), Input::Timer), []);
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 2 + DOWN)));
}

#[test]
fn claims_first_when_the_active_node_was_heard_only_right_after_the_start() {
    let mut machine = backup(config());
    let heard = INTERVAL / 2;
    let _ = machine.handle(at(heard), advert(GREATER, 200));
    let cause = Cause::ActiveSilent { silence: DOWN };
    let commands = machine.handle(at(heard + DOWN), Input::Timer);
    assert_eq!(commands, claim(PRIORITY, None, cause));
    assert_eq!(machine.deadline(), Some(at(heard + DOWN + GRACE)));
}
