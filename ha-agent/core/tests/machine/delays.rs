//! The delays of preemption and start-up.

use std::time::Duration;

use ha_core::{
    election::{Cause, Election, Input, Role},
    vrrp::{Machine, VrrpConfig},
};

use crate::bench::{
    DOWN, GREATER, INTERVAL, LESSER, PRIORITY, activation, advert, at, backup, claim, config,
};

const DELAY: Duration = Duration::from_secs(10);

fn patient() -> VrrpConfig {
    let mut config = config();
    config.preempt_delay = DELAY;
    config
}

fn late() -> VrrpConfig {
    let mut config = config();
    config.startup_delay = DELAY;
    config
}

/// Hears `priority` each second from `first` on to `last`, and expects to stay Backup.
fn hear(machine: &mut Machine, priority: u8, seconds: std::ops::RangeInclusive<u32>) {
    for n in seconds {
        let _ = machine.handle(at(INTERVAL * n), advert(LESSER, priority));
        assert_eq!(machine.role(), Role::Backup, "after {n} s");
    }
}

#[test]
fn a_live_node_of_lower_priority_is_preempted_when_the_delay_is_over() {
    let mut machine = backup(patient());
    hear(&mut machine, 50, 1..=10);
    let end = at(INTERVAL + DELAY);
    assert_eq!(machine.deadline(), Some(end), "and not later");
    let commands = machine.handle(end, Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
}

#[test]
fn the_delay_begins_anew_after_a_better_node() {
    let mut machine = backup(patient());
    hear(&mut machine, 50, 1..=5);
    hear(&mut machine, PRIORITY, 6..=6);
    hear(&mut machine, 50, 7..=16);
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 7 + DELAY)));
}

#[test]
fn a_silent_node_is_replaced_without_the_delay() {
    let mut machine = backup(patient());
    hear(&mut machine, 50, 1..=2);
    let end = at(INTERVAL * 2 + DOWN);
    assert_eq!(machine.deadline(), Some(end));
    let commands = machine.handle(end, Input::Timer);
    let cause = Cause::ActiveSilent { silence: DOWN };
    assert_eq!(commands, activation(PRIORITY, cause));
}

#[test]
fn without_preempt_mode_the_delay_changes_nothing() {
    let mut machine = backup(VrrpConfig {
        preempt: false,
        ..patient()
    });
    hear(&mut machine, 50, 1..=30);
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 30 + DOWN)));
}

#[test]
fn the_owner_does_not_wait_to_preempt() {
    let mut machine = backup(VrrpConfig {
        priority: 255.try_into().unwrap(),
        startup_delay: INTERVAL * 2,
        ..patient()
    });
    hear(&mut machine, 50, 1..=4);
    let end = machine.deadline().unwrap();
    assert!(end < at(INTERVAL * 5), "{end:?}");
    let commands = machine.handle(end, Input::Timer);
    assert_eq!(commands, claim(255, Some(LESSER), Cause::Preempting));
}

#[test]
fn nobody_is_replaced_before_the_start_up_is_over() {
    let mut machine = backup(late());
    assert_eq!(machine.deadline(), Some(at(DELAY)));
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    let _ = machine.handle(at(INTERVAL * 2), advert(GREATER, 0));
    assert_eq!(machine.deadline(), Some(at(DELAY)), "not after a release");
    assert_eq!(machine.handle(at(DELAY - INTERVAL), Input::Timer), []);
    let commands = machine.handle(at(DELAY), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn nobody_is_preempted_before_the_start_up_is_over() {
    let mut machine = backup(late());
    hear(&mut machine, 50, 1..=10);
    let end = machine.deadline().unwrap();
    assert!(at(DELAY) < end);
    let commands = machine.handle(end, Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
}

#[test]
fn the_owner_waits_for_the_start_up_too() {
    let machine = backup(VrrpConfig {
        priority: 255.try_into().unwrap(),
        ..late()
    });
    assert_eq!(machine.deadline(), Some(at(DELAY)));
}

#[test]
fn the_operator_does_not_wait_and_a_new_lease_is_no_new_start() {
    let mut machine = backup(late());
    let _ = machine.handle(at(INTERVAL), Input::Promote);
    assert_eq!(machine.role(), Role::Claiming);

    let mut machine = backup(late());
    let _ = machine.handle(at(DELAY - INTERVAL), Input::LeaseLapsed);
    let again = DELAY + INTERVAL;
    let _ = machine.handle(at(again), Input::Start);
    assert_eq!(machine.deadline(), Some(at(again + DOWN)));
}

#[test]
fn a_start_after_a_stop_is_a_start() {
    let mut machine = backup(late());
    let _ = machine.handle(at(DELAY * 2), Input::Stop);
    let _ = machine.handle(at(DELAY * 3), Input::Start);
    assert_eq!(machine.deadline(), Some(at(DELAY * 4)));
}
