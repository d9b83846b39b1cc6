//! When silence is a failure (RFC 5880 section 6.8.4).

use std::time::Duration;

use ha_core::bfd::{Command, Diagnostic, Input, Micros, Packet, State, Why};

use crate::bench::{
    DETECTION, FULL, INTERVAL, MS, REMOTE, SECOND, at, coming_up, config, hear, packet, remote,
    start, tick, up,
};

const EXPIRED: Command = Command::Changed {
    state: State::Down,
    diagnostic: Diagnostic::DetectionTimeExpired,
    why: Why::DetectionTimeExpired,
};

#[test]
fn silence_of_a_detection_time_is_a_failure_and_no_less_is() {
    let mut session = up(config());
    assert_eq!(session.detection_time(), Some(DETECTION));
    let _ = tick(&mut session, DETECTION - MS);
    assert_eq!(session.state(), State::Up);
    let commands = tick(&mut session, DETECTION);
    assert_eq!(commands[0], EXPIRED);
    let sent = packet(&commands);
    assert_eq!(sent.state, State::Down);
    assert_eq!(sent.diagnostic, Some(Diagnostic::DetectionTimeExpired));
}

#[test]
fn it_is_the_other_systems_multiplier_and_the_slower_interval() {
    for (own_ms, remote_ms, mult, expected_ms) in
        [(50, 50, 3, 150), (50, 200, 2, 400), (80, 10, 5, 400)]
    {
        let mut config = config();
        config.required_min_rx = (MS * own_ms).into();
        let mut session = up(config);
        let slow = Packet {
            detect_mult: mult.try_into().unwrap(),
            desired_min_tx: (MS * remote_ms).into(),
            ..remote(State::Up)
        };
        let _ = hear(&mut session, MS, slow);
        assert_eq!(session.detection_time(), Some(MS * expected_ms));
    }
}

#[test]
fn each_packet_begins_it_anew() {
    let mut session = up(config());
    let _ = hear(&mut session, MS * 140, remote(State::Up));
    let _ = tick(&mut session, MS * 289);
    assert_eq!(session.state(), State::Up);
    assert_eq!(tick(&mut session, MS * 290)[0], EXPIRED);
}

/// The habit of [`Input::Timer`]: both are due, and the packet goes first.
#[test]
fn an_observer_that_wakes_up_late_reads_first() {
    let mut session = up(config());
    let late = DETECTION * 20;
    let _ = hear(&mut session, late + MS, remote(State::Up));
    let _ = tick(&mut session, late);
    assert_eq!(session.state(), State::Up);
}

#[test]
fn the_number_of_the_other_system_is_forgotten_after_a_detection_time_only() {
    let mut session = up(config());
    let commands = hear(&mut session, MS, remote(State::Down));
    assert_eq!(session.state(), State::Down);
    assert_eq!(packet(&commands).your_discriminator, Some(REMOTE));
    let kept = tick(&mut session, DETECTION);
    assert!(kept.is_empty(), "{kept:?}");
    assert!(session.remote().is_some());
    let _ = tick(&mut session, MS + DETECTION);
    assert!(session.remote().is_none());
    let next = tick(&mut session, MS + SECOND);
    assert_eq!(packet(&next).your_discriminator, None);
}

#[test]
fn a_session_that_does_not_come_up_falls_back() {
    let mut session = start(config());
    let _ = hear(&mut session, MS, remote(State::Down));
    assert_eq!(session.state(), State::Init);
    assert_eq!(tick(&mut session, MS + DETECTION)[0], EXPIRED);
}

#[test]
fn who_is_forgotten_may_have_wanted_no_packets_and_is_looked_for_again() {
    let mut session = up(config());
    let deaf = Packet {
        required_min_rx: Micros::ZERO,
        ..remote(State::Up)
    };
    let _ = hear(&mut session, MS, deaf);
    let _ = tick(&mut session, MS + DETECTION);
    assert_eq!(session.transmit_interval(), SECOND);
    let due = session.deadline().expect("it looks for the other system");
    let commands = session.handle(due, FULL, Input::Timer);
    assert_eq!(packet(&commands).your_discriminator, None);
}

#[test]
fn before_the_first_packet_nothing_expires() {
    let mut session = start(config());
    for second in 1..100 {
        let commands = tick(&mut session, SECOND * second);
        assert_eq!(packet(&commands).diagnostic, Some(Diagnostic::None));
    }
    assert_eq!(session.detection_time(), None);
}

#[test]
fn a_slow_start_of_the_other_system_is_waited_for() {
    let mut session = coming_up(config());
    let slow = Packet {
        desired_min_tx: Micros::SECOND,
        ..remote(State::Up)
    };
    let _ = hear(&mut session, MS, slow);
    assert_eq!(session.detection_time(), Some(SECOND * 3));
    let end = at(MS + SECOND * 3);
    assert!(session.deadline().is_some_and(|due| due < end));
    let _ = tick(&mut session, INTERVAL * 50);
    assert_eq!(session.state(), State::Up);
    let _ = tick(&mut session, MS + Duration::from_secs(3));
    assert_eq!(session.state(), State::Down);
}
