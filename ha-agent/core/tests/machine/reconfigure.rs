//! A configuration that changes while the election goes on.

use std::time::Duration;

use ha_core::{
    election::{Cause, Election, Input, Role},
    track::Fitness,
    vrrp::{Centiseconds, Machine, Peers, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, active, advert, at, backup, claiming, config,
    send, set_role,
};

const NOW: Duration = DOWN.saturating_add(INTERVAL);

fn every(centiseconds: u16) -> VrrpConfig {
    VrrpConfig {
        advert_interval: Centiseconds::new(centiseconds).expect("it is an interval"),
        ..config()
    }
}

fn changed(config: VrrpConfig) -> Input {
    Input::Reconfigure(Box::new(config))
}

#[test]
fn what_has_not_changed_changes_nothing() {
    for mut machine in [active(config()), claiming(config()), backup(config())] {
        let deadline = machine.deadline();
        assert_eq!(machine.handle(at(NOW), changed(config())), []);
        assert_eq!(machine.deadline(), deadline);
    }
}

#[test]
fn a_shorter_interval_is_told_and_kept_at_once() {
    let mut machine = active(config());
    let short = Duration::from_millis(300);
    assert_eq!(
        machine.handle(at(NOW), changed(every(30))),
        [send(PRIORITY)]
    );
    assert_eq!(machine.deadline(), Some(at(NOW + short)));
}

#[test]
fn a_longer_interval_is_told_some_times_at_the_pace_of_the_old_one() {
    let mut machine = active(config());
    let _ = machine.handle(at(NOW), changed(every(500)));
    let mut now = NOW;
    for _ in 0..4 {
        assert_eq!(machine.deadline(), Some(at(now + INTERVAL)));
        now += INTERVAL;
        assert_eq!(machine.handle(at(now), Input::Timer), [send(PRIORITY)]);
    }
    assert_eq!(machine.deadline(), Some(at(now + INTERVAL * 5)));
}

#[test]
fn an_interval_that_is_raised_twice_keeps_the_shortest_pace() {
    let mut machine = active(config());
    let _ = machine.handle(at(NOW), changed(every(500)));
    let _ = machine.handle(at(NOW), changed(every(800)));
    assert_eq!(machine.deadline(), Some(at(NOW + INTERVAL)));
}

#[test]
fn a_priority_moves_the_group_by_the_rules_of_preemption() {
    let raised = VrrpConfig {
        priority: 200.try_into().expect("it is not zero"),
        ..config()
    };
    let mut machine = backup(config());
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 150));
    assert_eq!(machine.handle(at(INTERVAL), changed(raised)), []);
    let weighed = Input::Fitness(Fitness::Eligible { priority: 200 });
    let _ = machine.handle(at(INTERVAL), weighed);
    assert_eq!(machine.priority(), 200);
    let later = INTERVAL * 2;
    let _ = machine.handle(at(later), advert(GREATER, 150));
    let deadline = machine.deadline().expect("a Backup waits");
    let _ = machine.handle(deadline, Input::Timer);
    assert_eq!(machine.role(), Role::Claiming);
}

#[test]
fn who_is_no_peer_any_more_is_not_waited_for() {
    let mut machine = claiming(config());
    let alone = VrrpConfig {
        peers: Peers::Unicast([GREATER].into()),
        ..config()
    };
    let told = machine.handle(at(DOWN), changed(alone));
    assert_eq!(told, [send(PRIORITY)]);
    let _ = machine.handle(at(DOWN), advert(LESSER, 50));
    let end = machine.deadline().expect("a claim ends");
    let commands = machine.handle(end.max(at(DOWN + GRACE)), Input::Timer);
    assert_eq!(
        commands.first(),
        Some(&set_role(Role::Active, None, Cause::YieldTimeout))
    );
}

#[test]
fn a_machine_that_has_not_started_takes_it_over_in_silence() {
    let mut machine = Machine::new(config());
    assert_eq!(machine.handle(at(NOW), changed(every(30))), []);
    assert_eq!(machine.config(), &every(30));
}
