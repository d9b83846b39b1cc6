//! Peers that are configured, and send everything to this node alone.

use std::net::IpAddr;

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    vrrp::{Machine, Peers, VrrpConfig},
};

use crate::bench::{
    DOWN, GREATER, INTERVAL, LESSER, PRIORITY, SKEW, activation, active, advert, at, backup,
    claiming, config, direct, send, send_to,
};

fn with(peers: &[IpAddr]) -> VrrpConfig {
    let mut config = config();
    config.peers = Peers::Unicast(peers.into());
    config
}

#[test]
fn what_comes_to_this_node_alone_is_an_ordinary_advertisement() {
    let mut machine = backup(with(&[GREATER, LESSER]));
    let _ = machine.handle(at(INTERVAL), direct(GREATER, 200));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
    let _ = machine.handle(at(INTERVAL), direct(GREATER, 0));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + SKEW)));

    let mut machine = active(with(&[GREATER, LESSER]));
    let commands = machine.handle(at(DOWN * 2), direct(LESSER, 50));
    assert_eq!(commands, [send(PRIORITY), Command::Announce]);
    let commands = machine.handle(at(DOWN * 2), direct(GREATER, PRIORITY));
    assert_eq!(machine.role(), Role::Backup);
    assert_eq!(commands.last(), Some(&send_to(GREATER, 0)));
}

#[test]
fn only_configured_peers_count() {
    let stranger = GREATER;
    for input in [direct(stranger, 255), advert(stranger, 255)] {
        for start in [backup, claiming, active] {
            let mut machine = start(with(&[LESSER]));
            let before = (machine.role(), machine.deadline());
            assert_eq!(machine.handle(at(DOWN), input.clone()), []);
            assert_eq!((machine.role(), machine.deadline()), before);
        }
    }
}

#[test]
fn a_peer_that_multicasts_counts_all_the_same() {
    let mut machine = backup(with(&[GREATER]));
    let _ = machine.handle(at(INTERVAL), advert(GREATER, 200));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
}

#[test]
fn the_only_peer_acknowledges_a_claim_with_priority_0() {
    let mut machine = claiming(with(&[LESSER]));
    let commands = machine.handle(at(DOWN), direct(LESSER, 0));
    assert_eq!(commands, activation(PRIORITY, Cause::Yielded));
}

#[test]
fn of_several_peers_priority_0_may_be_a_release_that_others_heard_too() {
    let mut machine = claiming(with(&[LESSER, GREATER]));
    assert_eq!(machine.handle(at(DOWN), direct(LESSER, 0)), []);
    assert_eq!(machine.role(), Role::Claiming);
    let end = machine.deadline().unwrap();
    assert!(end <= at(DOWN + SKEW), "but it does not wait longer for it");
    let commands = machine.handle(end, Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn a_claimer_gives_way_in_silence_and_an_owner_acknowledges() {
    let is_advert = |command: &Command| matches!(command, Command::SendAdvert { .. });
    let yields = |mut machine: Machine| machine.handle(at(DOWN), direct(GREATER, 200));
    let peers = with(&[LESSER, GREATER]);
    assert!(!yields(claiming(peers.clone())).iter().any(is_advert));
    assert!(yields(active(peers)).contains(&send_to(GREATER, 0)));
}
