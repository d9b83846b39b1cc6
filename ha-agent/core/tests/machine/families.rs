//! Groups with addresses of both families.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use ha_core::{
    election::{Cause, Election, Input, Role},
    vrrp::{Primary, VrrpConfig},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, OWN, PRIORITY, activation, active, advert, at, backup,
    config, direct, set_role,
};

const OWN6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 5);
const LESSER6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 4));
const GREATER6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 6));
const SINCE: Duration = DOWN.saturating_add(GRACE);

fn dual() -> VrrpConfig {
    let mut config = config();
    config.primary = Primary::Dual(OWN, OWN6);
    config
}

#[test]
fn priorities_count_in_either_family() {
    for peer in [GREATER, LESSER, GREATER6, LESSER6] {
        let mut machine = active(dual());
        let _ = machine.handle(at(SINCE), advert(peer, 101));
        assert_eq!(machine.role(), Role::Backup, "{peer}");
    }
}

#[test]
fn ties_are_decided_in_ipv4_if_the_group_has_it() {
    for (peer, role) in [
        (GREATER, Role::Backup),
        (LESSER, Role::Active),
        (GREATER6, Role::Active),
        (LESSER6, Role::Active),
    ] {
        let mut machine = active(dual());
        let _ = machine.handle(at(SINCE), advert(peer, PRIORITY));
        assert_eq!(machine.role(), role, "{peer}");
    }
}

#[test]
fn an_undecided_tie_is_not_answered() {
    let mut machine = active(dual());
    let due = machine.deadline();
    assert_eq!(machine.handle(at(SINCE), advert(LESSER6, PRIORITY)), []);
    assert_eq!(machine.deadline(), due);
}

#[test]
fn ties_are_decided_in_ipv6_if_the_group_has_nothing_else() {
    let mut config = config();
    config.primary = Primary::V6(OWN6);
    for (peer, role) in [(GREATER6, Role::Backup), (LESSER6, Role::Active)] {
        let mut machine = active(config.clone());
        let _ = machine.handle(at(SINCE), advert(peer, PRIORITY));
        assert_eq!(machine.role(), role, "{peer}");
    }
}

#[test]
fn either_family_keeps_the_timer_and_the_ipv4_address_names_the_peer() {
    let mut machine = backup(dual());
    let change = |peer| set_role(Role::Backup, Some(peer), Cause::ActiveChanged);
    let commands = machine.handle(at(INTERVAL), advert(GREATER6, 200));
    assert_eq!(commands, [change(GREATER6)]);
    let commands = machine.handle(at(INTERVAL), advert(LESSER, 200));
    assert_eq!(commands, [change(LESSER)]);
    let commands = machine.handle(at(INTERVAL * 2), advert(GREATER6, 200));
    assert_eq!(commands, []);
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 2 + DOWN)));
}

#[test]
fn one_acknowledgement_speaks_for_both_addresses_of_a_peer() {
    for peer in [LESSER, LESSER6] {
        let mut machine = backup(dual());
        for address in [LESSER6, LESSER] {
            let _ = machine.handle(at(DOWN - INTERVAL), advert(address, 50));
        }
        let _ = machine.handle(at(DOWN), Input::Timer);
        let commands = machine.handle(at(DOWN), direct(peer, 0));
        assert_eq!(commands, activation(PRIORITY, Cause::Yielded));
    }
}

#[test]
fn a_claim_waits_for_a_tie_that_is_not_decided_yet() {
    let mut machine = backup(dual());
    let _ = machine.handle(at(INTERVAL), Input::Promote);
    let now = INTERVAL + GRACE / 2;
    assert_eq!(machine.handle(at(now), advert(GREATER6, PRIORITY)), []);
    assert_eq!(machine.deadline(), Some(at(now + GRACE)));
}
