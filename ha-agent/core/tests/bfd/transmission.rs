//! When packets leave (RFC 5880 sections 6.8.3 and 6.8.7).

use std::time::Duration;

use ha_core::{
    bfd::{Input, Micros, Packet, Session, State},
    time::Time,
};

use crate::bench::{
    FULL, INTERVAL, MS, OWN, SECOND, at, config, hear, packet, packets, remote, start, tick, up,
};

/// How long after `now` the next packet is due, if one was just sent with `random`.
fn gap(session: &mut Session, now: Duration, random: u32) -> Duration {
    let commands = session.handle(at(now), random, Input::Timer);
    assert_eq!(packets(&commands).len(), 1, "{commands:?}");
    session
        .deadline()
        .map_or(Duration::MAX, |due| due.since(at(now)))
}

#[test]
fn the_first_packet_leaves_at_once() {
    let mut session = Session::new(OWN, config());
    assert_eq!(session.deadline(), None, "not before the start");
    let commands = session.handle(at(MS), FULL, Input::Start);
    let first = packet(&commands);
    assert_eq!((first.state, first.your_discriminator), (State::Down, None));
    assert_eq!(first.desired_min_tx, Micros::SECOND);
    assert_eq!(session.deadline(), Some(at(MS + SECOND)));
}

#[test]
fn nothing_is_heeded_before_the_start() {
    let mut session = Session::new(OWN, config());
    assert_eq!(hear(&mut session, MS, remote(State::Down)), []);
    assert_eq!(tick(&mut session, SECOND), []);
    assert_eq!(session.state(), State::Down);
}

#[test]
fn the_slower_of_the_two_decides() {
    for (remote_ms, expected_ms) in [(10, 50), (50, 50), (200, 200)] {
        let mut session = up(config());
        let wants = Packet {
            required_min_rx: (MS * remote_ms).into(),
            ..remote(State::Up)
        };
        let _ = hear(&mut session, Duration::ZERO, wants);
        assert_eq!(session.transmit_interval(), MS * expected_ms);
    }
}

#[test]
fn each_gap_is_up_to_a_quarter_shorter() {
    let mut session = up(config());
    // Heard all the time.
    let _ = hear(&mut session, INTERVAL, remote(State::Up));
    assert_eq!(gap(&mut session, INTERVAL, 0), INTERVAL * 3 / 4);
    let _ = hear(&mut session, INTERVAL * 2, remote(State::Up));
    assert_eq!(gap(&mut session, INTERVAL * 2, FULL), INTERVAL);
}

#[test]
fn with_a_multiplier_of_one_a_gap_is_a_tenth_shorter_at_least() {
    let mut config = config();
    config.detect_mult = 1.try_into().unwrap();
    let mut session = up(config);
    let _ = hear(&mut session, INTERVAL, remote(State::Up));
    assert_eq!(gap(&mut session, INTERVAL, FULL), INTERVAL * 9 / 10);
    let _ = hear(&mut session, INTERVAL * 2, remote(State::Up));
    assert_eq!(gap(&mut session, INTERVAL * 2, 0), INTERVAL * 3 / 4);
}

#[test]
fn not_up_it_is_a_packet_a_second() {
    let mut session = start(config());
    assert_eq!(session.transmit_interval(), SECOND);
    assert!(tick(&mut session, SECOND - MS).is_empty());
    let sent = packet(&tick(&mut session, SECOND));
    assert_eq!(sent.desired_min_tx, Micros::SECOND);
    assert_eq!(sent.required_min_rx, INTERVAL.into());
}

#[test]
fn an_interval_above_a_second_is_kept_when_not_up() {
    let mut config = config();
    config.desired_min_tx = (SECOND * 5).into();
    let session = start(config);
    assert_eq!(session.transmit_interval(), SECOND * 5);
}

#[test]
fn who_wants_no_packets_gets_none_but_answers() {
    let mut session = up(config());
    let deaf = Packet {
        required_min_rx: Micros::ZERO,
        ..remote(State::Up)
    };
    for n in 1..20 {
        assert!(hear(&mut session, INTERVAL * n, deaf).is_empty());
        assert!(tick(&mut session, INTERVAL * n).is_empty());
    }
    let asks = Packet {
        is_poll: true,
        ..deaf
    };
    assert!(packet(&hear(&mut session, SECOND, asks)).is_final);
}

#[test]
fn a_shorter_interval_is_honoured_at_once() {
    let mut session = up(config());
    let slow = Packet {
        required_min_rx: Micros::SECOND,
        ..remote(State::Up)
    };
    let _ = hear(&mut session, SECOND, slow);
    assert_eq!(gap(&mut session, SECOND, FULL), MS * 150, "the silence");
    let _ = hear(&mut session, MS * 1_100, slow);
    assert!(tick(&mut session, MS * 1_100).is_empty());
    let _ = hear(&mut session, MS * 1_100, remote(State::Up));
    assert_eq!(session.deadline(), Some(at(SECOND + INTERVAL)), "long ago");
    assert_eq!(packets(&tick(&mut session, MS * 1_100)).len(), 1);
}

#[test]
fn a_new_state_is_told_at_once() {
    let mut session = start(config());
    let sent = packet(&hear(&mut session, MS, remote(State::Down)));
    assert_eq!(sent.state, State::Init);
    let sent = packet(&hear(&mut session, MS * 2, remote(State::Up)));
    assert_eq!(sent.state, State::Up);
    let sent = packet(&hear(&mut session, MS * 3, remote(State::Down)));
    assert_eq!(sent.state, State::Down);
}

#[test]
fn a_passive_system_waits_to_be_spoken_to() {
    let mut config = config();
    config.is_passive = true;
    let mut session = start(config);
    assert_eq!(session.deadline(), None);
    for second in 0..10 {
        assert!(tick(&mut session, SECOND * second).is_empty());
    }
    let sent = packet(&hear(&mut session, SECOND * 10, remote(State::Down)));
    assert_eq!(sent.state, State::Init);
    let _ = hear(&mut session, SECOND * 10, remote(State::Up));
    let end = session.handle(Time::default() + SECOND * 20, FULL, Input::Timer);
    assert!(packets(&end).is_empty(), "it is forgotten: {end:?}");
    assert_eq!((session.state(), session.deadline()), (State::Down, None));
}

#[test]
fn demand_mode_of_the_other_system_ends_the_periodic_packets() {
    let mut session = up(config());
    let demand = Packet {
        is_demand: true,
        ..remote(State::Up)
    };
    for n in 1..20 {
        let _ = hear(&mut session, INTERVAL * n, demand);
        assert!(tick(&mut session, INTERVAL * n).is_empty());
    }
    let _ = hear(&mut session, INTERVAL * 20, remote(State::Up));
    assert_eq!(packets(&tick(&mut session, INTERVAL * 20)).len(), 1);
    let slower = Input::Configure(ha_core::bfd::Config {
        desired_min_tx: (INTERVAL * 2).into(),
        ..config()
    });
    let _ = hear(&mut session, INTERVAL * 21, demand);
    let _ = session.handle(at(INTERVAL * 21), FULL, slower);
    let asks = packet(&tick(&mut session, INTERVAL * 21));
    assert!(asks.is_poll, "a change is told all the same");
}
