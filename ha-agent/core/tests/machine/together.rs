//! Members of a sync group.

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::{Machine, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, activation, advert, at, backup, claim,
    config, send, set_role,
};

fn synced() -> VrrpConfig {
    let mut config = config();
    config.is_synced = true;
    config
}

/// Nobody was heard, and the timer ran out at `at(DOWN)`.
fn ready() -> Machine {
    let mut machine = backup(synced());
    assert!(!machine.is_ready());
    assert_eq!(machine.handle(at(DOWN), Input::Timer), []);
    assert!(machine.is_ready());
    machine
}

#[test]
fn a_member_takes_over_when_the_others_can() {
    let mut machine = ready();
    let commands = machine.handle(at(DOWN), Input::Join);
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
    let commands = machine.handle(at(DOWN + GRACE), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::NobodyActive));
}

#[test]
fn a_member_stays_ready_while_it_waits() {
    let mut machine = ready();
    assert_eq!(machine.handle(at(DOWN * 2), Input::Timer), []);
    assert!(machine.is_ready());
}

#[test]
fn a_member_that_hears_a_better_node_is_ready_no_more() {
    let mut machine = ready();
    let _ = machine.handle(at(DOWN), advert(GREATER, PRIORITY));
    assert!(!machine.is_ready());
    assert_eq!(machine.handle(at(DOWN), Input::Join), []);
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn a_member_that_could_preempt_says_so_while_the_worse_node_lives() {
    let mut machine = backup(synced());
    let _ = machine.handle(at(DOWN - INTERVAL), advert(LESSER, 50));
    assert_eq!(machine.handle(at(DOWN), Input::Timer), []);
    let _ = machine.handle(at(DOWN), advert(LESSER, 50));
    assert!(machine.is_ready());
    let commands = machine.handle(at(DOWN), Input::Join);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
}

#[test]
fn the_owner_of_the_addresses_waits_for_the_others_too() {
    let mut config = synced();
    config.priority = 255.try_into().unwrap();
    let machine = backup(config);
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn a_member_lets_go_with_the_others() {
    let mut machine = ready();
    let _ = machine.handle(at(DOWN), Input::Join);
    let mut claimer = machine.clone();
    let _ = machine.handle(at(DOWN + GRACE), Input::Timer);
    let now = at(DOWN + INTERVAL);
    let left = set_role(Role::Backup, None, Cause::MemberLeft);
    assert_eq!(
        machine.handle(now, Input::Leave),
        [left.clone(), Command::StopAnnouncing, send(0)]
    );
    assert_eq!(machine.deadline(), Some(now + DOWN));
    assert_eq!(machine.handle(now, Input::Leave), [], "it is Backup");
    assert_eq!(claimer.handle(now, Input::Leave), [left]);
}
