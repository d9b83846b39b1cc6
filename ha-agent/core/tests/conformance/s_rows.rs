//! The state machine (RFC 9568 sections 6.4 and 8).

use std::{collections::BTreeSet, net::Ipv6Addr, time::Duration};

use ha_core::{
    announce,
    election::{Cause, Command, Election, Input, Role},
    vrrp::{Centiseconds, Discard, Machine, Version},
};

use crate::bench::{
    DOWN, GRACE, GREATER, INTERVAL, LESSER, PRIORITY, SKEW, activation, active, advert,
    advert_every, at, backup, claim, config, direct, send, send_to, set_role,
};

/// When [`active`] became so.
const SINCE: Duration = DOWN.saturating_add(GRACE);

/// Backup to [`GREATER`], last heard at two seconds.
fn following() -> Machine {
    let mut machine = backup(config());
    for n in 1..=2 {
        let _ = machine.handle(at(INTERVAL * n), advert(GREATER, 200));
    }
    machine
}

#[test]
fn s1_the_owner_is_active_at_once_where_nothing_is_to_be_waited_for() {
    let mut owner = config();
    owner.priority = 255.try_into().unwrap();
    owner.yield_grace = Duration::ZERO;
    let commands = Machine::new(owner).handle(at(Duration::ZERO), Input::Start);
    assert_eq!(commands, activation(255, Cause::AddressOwner));
}

/// With a grace time the owner advertises at once, as the RFC wants, but answers only when a live node
/// had the time to let go.
#[test]
fn s1_others_listen_first() {
    let mut machine = Machine::new(config());
    let commands = machine.handle(at(Duration::ZERO), Input::Start);
    assert_eq!(commands, [set_role(Role::Backup, None, Cause::Started)]);
    assert_eq!(machine.deadline(), Some(at(DOWN)));

    let mut owner = config();
    owner.priority = 255.try_into().unwrap();
    let commands = Machine::new(owner).handle(at(Duration::ZERO), Input::Start);
    assert_eq!(commands, claim(255, None, Cause::AddressOwner));
}

#[test]
fn s2_a_backup_listens() {
    let machine = following();
    assert_eq!(machine.role(), Role::Backup);
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 2 + DOWN)));
}

#[test]
fn s2_a_backup_neither_advertises_nor_announces() {
    let inputs = [
        Input::Timer,
        advert(GREATER, 0),
        advert(GREATER, 200),
        advert(LESSER, 1),
        direct(LESSER, 0),
        Input::Release,
        Input::Stop,
    ];
    for input in inputs {
        let commands = following().handle(at(INTERVAL * 2), input.clone());
        let only_the_role = |command: &Command| match command {
            Command::SetRole { role, .. } => *role == Role::Backup,
            Command::SendAdvert { .. }
            | Command::Ask { .. }
            | Command::TellUnheard { .. }
            | Command::AskWitness
            | Command::HandOn { .. }
            | Command::Announce
            | Command::StopAnnouncing
            | Command::Refused { .. } => false,
        };
        assert!(
            commands.iter().all(only_the_role),
            "{input:?}: {commands:?}"
        );
    }
}

#[test]
fn s3_a_release_leaves_a_skew_time() {
    let mut machine = following();
    let _ = machine.handle(at(INTERVAL * 3), advert(GREATER, 0));
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 3 + SKEW)));
}

#[test]
fn s3_what_is_not_worse_sets_interval_and_timer() {
    for priority in [PRIORITY, PRIORITY + 1, 255] {
        let mut machine = following();
        let _ = machine.handle(at(INTERVAL * 3), advert_every(LESSER, priority, 200));
        assert_eq!(machine.deadline(), Some(at(INTERVAL * 3 + DOWN * 2)));
    }
}

#[test]
fn s3_without_preempt_mode_what_is_worse_does_so_too() {
    let mut stays = config();
    stays.preempt = false;
    let mut machine = backup(stays);
    let _ = machine.handle(at(INTERVAL), advert(LESSER, 1));
    assert_eq!(machine.deadline(), Some(at(INTERVAL + DOWN)));
}

#[test]
fn s3_with_preempt_mode_what_is_worse_is_discarded() {
    let mut machine = following();
    let _ = machine.handle(at(INTERVAL * 3), advert(LESSER, PRIORITY - 1));
    assert_eq!(machine.deadline(), Some(at(INTERVAL * 2 + DOWN)));
}

#[test]
fn s4_when_the_timer_runs_out_it_advertises_and_announces() {
    let mut machine = following();
    let end = INTERVAL * 2 + DOWN;
    let commands = machine.handle(at(end), Input::Timer);
    let cause = Cause::ActiveSilent { silence: DOWN };
    assert_eq!(commands, activation(PRIORITY, cause));
    assert_eq!(machine.deadline(), Some(at(end + INTERVAL)), "Adver_Timer");
}

#[test]
fn s4_before_it_runs_out_nothing_happens() {
    let mut machine = following();
    let early = at(INTERVAL * 2 + DOWN - Duration::from_nanos(1));
    assert_eq!(machine.handle(early, Input::Timer), []);
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn s6_a_better_advertisement_makes_a_backup() {
    for (peer, priority) in [(LESSER, PRIORITY + 1), (GREATER, PRIORITY), (LESSER, 255)] {
        let mut machine = active(config());
        let commands = machine.handle(at(SINCE), advert(peer, priority));
        let cause = Cause::HigherPriority { peer, priority };
        let expected = [
            set_role(Role::Backup, Some(peer), cause),
            Command::StopAnnouncing,
            send_to(peer, 0),
        ];
        assert_eq!(commands, expected);
        assert_eq!(machine.deadline(), Some(at(SINCE + DOWN)));
    }
}

#[test]
fn s6_a_worse_one_or_a_tie_with_a_lesser_address_does_not() {
    for (peer, priority) in [(GREATER, PRIORITY - 1), (LESSER, PRIORITY), (GREATER, 1)] {
        let mut machine = active(config());
        let _ = machine.handle(at(SINCE), advert(peer, priority));
        assert_eq!(machine.role(), Role::Active);
    }
}

#[test]
fn s7_a_losing_advertisement_is_answered_at_once() {
    let half = SINCE + INTERVAL / 2;
    for (peer, priority) in [(GREATER, PRIORITY - 1), (LESSER, PRIORITY)] {
        let mut machine = active(config());
        let commands = machine.handle(at(half), advert(peer, priority));
        assert_eq!(commands[0], send(PRIORITY));
        assert_eq!(machine.deadline(), Some(at(half + INTERVAL)));
    }
}

#[test]
fn s7_a_winning_advertisement_is_not_answered_with_the_own_priority() {
    let mut machine = active(config());
    let commands = machine.handle(at(SINCE), advert(GREATER, PRIORITY));
    assert!(!commands.contains(&send(PRIORITY)));
}

#[test]
fn s8_a_release_is_answered_and_a_shutdown_releases() {
    let half = SINCE + INTERVAL / 2;
    let mut machine = active(config());
    let commands = machine.handle(at(half), advert(GREATER, 0));
    assert_eq!(commands, [send(PRIORITY)]);
    assert_eq!(machine.deadline(), Some(at(half + INTERVAL)));
    let commands = machine.handle(at(half), Input::Stop);
    assert_eq!(commands.last(), Some(&send(0)));
}

#[test]
fn s8_who_is_not_active_has_nothing_to_release() {
    let mut claimer = crate::bench::claiming(config());
    for machine in [&mut following(), &mut claimer] {
        let commands = machine.handle(at(DOWN), Input::Stop);
        assert!(!commands.contains(&send(0)), "{commands:?}");
    }
}

#[test]
fn s9_announcements_come_after_role_and_advertisement() {
    let mut machine = following();
    let commands = machine.handle(at(INTERVAL * 2 + DOWN), Input::Timer);
    let place = |wanted: &dyn Fn(&Command) -> bool| commands.iter().position(wanted);
    let role = place(&|c| matches!(c, Command::SetRole { role, .. } if *role == Role::Active));
    let advertises = place(&|c| *c == send(PRIORITY));
    let announces = place(&|c| *c == Command::Announce);
    assert!(role < advertises && advertises < announces && role.is_some());
    assert!(announce::Config::default().spacing > Duration::from_secs(1));
}

#[test]
fn s9_nothing_is_announced_before_the_group_may_take_part() {
    for input in [Input::Timer, Input::Promote, advert(GREATER, 0)] {
        let commands = Machine::new(config()).handle(at(DOWN * 2), input);
        assert!(!commands.contains(&Command::Announce), "{commands:?}");
    }
    let commands = Machine::new(config()).handle(at(Duration::ZERO), Input::Start);
    assert!(!commands.contains(&Command::Announce));
}

/// Link-local addresses made of a shared virtual MAC were equal, and each router took the other one's
/// advertisements for its own.
#[test]
fn s10_nodes_with_link_local_addresses_of_their_own_hear_each_other() {
    let [own, peer] = [5, 6].map(|last| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last));
    let mut v6 = config();
    v6.primary = ha_core::vrrp::Primary::V6(own);
    let mut machine = active(v6);
    let _ = machine.handle(at(SINCE), advert(peer.into(), PRIORITY));
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn s10_an_address_made_of_the_virtual_mac_would_be_taken_for_the_own() {
    let shared = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x0200, 0x5eff, 0xfe00, 0x0233);
    let mut v6 = config();
    v6.primary = ha_core::vrrp::Primary::V6(shared);
    let mut machine = active(v6);
    assert_eq!(machine.handle(at(SINCE), advert(shared.into(), 255)), []);
    assert_eq!(machine.role(), Role::Active);
}

#[test]
fn s11_every_discard_has_a_word_for_the_counter_and_a_sentence_for_the_log() {
    let all = [
        Discard::HopLimit { found: 1 },
        Discard::Type { found: 2 },
        Discard::Incomplete { len: 1, needed: 8 },
        Discard::Checksum,
        Discard::UnknownVrid { vrid: 9 },
        Discard::NoAddresses,
        Discard::FirstNotLinkLocal {
            found: Ipv6Addr::LOCALHOST,
        },
        Discard::ZeroInterval,
        Discard::Version {
            found: 2,
            expected: Version::V3,
        },
        Discard::Version2OverIpv6,
        Discard::Authentication { found: 1 },
        Discard::Interval {
            found: 2,
            own: Centiseconds::SECOND,
        },
    ];
    let words: BTreeSet<_> = all.iter().map(|discard| discard.name()).collect();
    let sentences: BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
}

/// Queueing delay must not make roles flap: what came in goes before the timer, and an advertisement
/// that arrives late resets it.
#[test]
fn s11_a_late_advertisement_before_the_timer_changes_no_role() {
    let mut machine = following();
    let late = INTERVAL * 2 + DOWN + Duration::from_millis(5);
    assert_eq!(
        machine.handle(at(late), advert(GREATER, 200)),
        [set_role(Role::Backup, Some(GREATER), Cause::ActiveChanged)]
    );
    assert_eq!(machine.handle(at(late), Input::Timer), []);
    assert_eq!(machine.role(), Role::Backup);
}
