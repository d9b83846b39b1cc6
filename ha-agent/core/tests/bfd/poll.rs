//! Poll and Final (RFC 5880 sections 6.5 and 6.8.3).

use std::time::Duration;

use ha_core::bfd::{Config, Input, Micros, Packet, Session, State};

use crate::bench::{
    DETECTION, FULL, INTERVAL, MS, SECOND, at, coming_up, config, hear, packet, remote, start,
    tick, up,
};

fn with_final() -> Packet {
    Packet {
        is_final: true,
        ..remote(State::Up)
    }
}

fn configure(session: &mut Session, now: Duration, config: Config) {
    let commands = session.handle(at(now), FULL, Input::Configure(config));
    assert_eq!(commands, [], "the Poll bit goes on scheduled packets");
}

/// Heard just now, so that nothing but a packet is due.
fn next(session: &mut Session, now: Duration) -> Packet {
    let _ = hear(session, now, remote(State::Up));
    packet(&tick(session, now))
}

#[test]
fn a_poll_is_answered_at_once_and_with_one_packet() {
    for state in [State::Down, State::Up] {
        let mut session = up(config());
        let asks = Packet {
            is_poll: true,
            ..remote(state)
        };
        let due = session.deadline();
        let answer = packet(&hear(&mut session, MS, asks));
        assert!(answer.is_final && !answer.is_poll);
        assert_eq!(answer.state, state, "the new state is in it");
        if state == State::Up {
            assert_eq!(session.deadline(), due, "the timer is not touched");
        }
    }
}

#[test]
fn a_poll_is_answered_in_any_state() {
    let asks = Packet {
        is_poll: true,
        ..remote(State::AdminDown)
    };
    let mut session = start(config());
    assert!(packet(&hear(&mut session, MS, asks)).is_final);
    let _ = session.handle(at(MS), FULL, Input::Disable);
    let answer = packet(&hear(&mut session, MS * 2, asks));
    assert!(answer.is_final);
    assert_eq!(answer.state, State::AdminDown);
}

#[test]
fn coming_up_is_a_change_that_is_polled_for() {
    let mut session = coming_up(config());
    let first = next(&mut session, INTERVAL);
    assert!(first.is_poll && !first.is_final);
    assert_eq!(first.desired_min_tx, INTERVAL.into());
    assert_eq!(session.transmit_interval(), INTERVAL, "faster at once");
    assert!(
        next(&mut session, INTERVAL * 2).is_poll,
        "until it is answered"
    );
    let _ = hear(&mut session, INTERVAL * 2 + MS, with_final());
    assert!(!next(&mut session, INTERVAL * 3).is_poll);
}

#[test]
fn a_raised_transmit_interval_waits_for_the_answer() {
    let mut session = up(config());
    let slow = Config {
        desired_min_tx: Micros::SECOND,
        ..config()
    };
    configure(&mut session, MS, slow);
    assert_eq!(session.transmit_interval(), INTERVAL);
    let asks = next(&mut session, INTERVAL);
    assert!(asks.is_poll);
    assert_eq!(asks.desired_min_tx, Micros::SECOND);
    assert_eq!(session.transmit_interval(), INTERVAL, "still");
    let _ = hear(&mut session, INTERVAL + MS, with_final());
    assert_eq!(session.transmit_interval(), SECOND);
}

#[test]
fn a_reduced_receive_interval_waits_for_the_answer() {
    let mut session = up(config());
    let quick = Packet {
        desired_min_tx: (MS * 10).into(),
        ..remote(State::Up)
    };
    let fast = Config {
        required_min_rx: (MS * 10).into(),
        ..config()
    };
    configure(&mut session, MS, fast);
    let _ = hear(&mut session, MS, quick);
    assert_eq!(session.detection_time(), Some(DETECTION));
    let asks = packet(&tick(&mut session, INTERVAL));
    assert!(asks.is_poll);
    assert_eq!(asks.required_min_rx, (MS * 10).into());
    assert_eq!(session.detection_time(), Some(DETECTION), "still");
    let answer = Packet {
        is_final: true,
        ..quick
    };
    let _ = hear(&mut session, INTERVAL + MS, answer);
    assert_eq!(session.detection_time(), Some(MS * 30));
}

#[test]
fn what_makes_it_send_more_or_wait_longer_is_in_force_at_once() {
    let mut session = up(config());
    let config = Config {
        desired_min_tx: (MS * 10).into(),
        required_min_rx: (MS * 100).into(),
        ..config()
    };
    configure(&mut session, MS, config);
    let eager = Packet {
        required_min_rx: Micros::MIN,
        ..remote(State::Up)
    };
    let _ = hear(&mut session, MS, eager);
    assert_eq!(session.transmit_interval(), MS * 10);
    assert_eq!(session.detection_time(), Some(MS * 300));
}

#[test]
fn an_answer_to_nothing_answers_nothing() {
    let mut session = up(config());
    let slow = Config {
        desired_min_tx: Micros::SECOND,
        ..config()
    };
    configure(&mut session, MS, slow);
    let _ = hear(&mut session, MS * 2, with_final());
    assert_eq!(
        session.transmit_interval(),
        INTERVAL,
        "no Poll has left yet"
    );
}

#[test]
fn one_change_waits_for_the_one_before() {
    let mut session = up(config());
    let slow = |factor: u32| Config {
        desired_min_tx: (INTERVAL * factor).into(),
        ..config()
    };
    configure(&mut session, MS, slow(2));
    assert!(next(&mut session, INTERVAL).is_poll);
    configure(&mut session, INTERVAL + MS, slow(4));
    let same = next(&mut session, INTERVAL * 2);
    assert_eq!(same.desired_min_tx, (INTERVAL * 2).into());
    let _ = hear(&mut session, INTERVAL * 2 + MS, with_final());
    assert_eq!(session.transmit_interval(), INTERVAL * 2);
    // Another Final may still belong to the first one.
    let _ = hear(&mut session, INTERVAL * 2 + MS, with_final());
    assert_eq!(session.transmit_interval(), INTERVAL * 2);
    let asks = next(&mut session, INTERVAL * 4);
    assert!(asks.is_poll);
    assert_eq!(asks.desired_min_tx, (INTERVAL * 4).into());
}

#[test]
fn a_session_that_goes_down_slows_down_without_asking() {
    let mut session = up(config());
    let sent = packet(&hear(&mut session, MS, remote(State::Down)));
    assert_eq!(sent.desired_min_tx, Micros::SECOND);
    assert_eq!(session.transmit_interval(), SECOND);
}
