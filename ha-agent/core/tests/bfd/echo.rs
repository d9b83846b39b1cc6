//! The echo function (RFC 5880 sections 6.4, 6.8.5 and 6.8.9).

use std::time::Duration;

use ha_core::bfd::{Command, Config, Diagnostic, Input, Micros, Packet, Session, State, Why};

use crate::bench::{FULL, MS, SECOND, at, config, hear, remote, start, tick, up};

const EVERY: Duration = Duration::from_millis(10);

fn with_echo() -> Config {
    Config {
        echo_interval: Some(EVERY.into()),
        ..config()
    }
}

/// The other system loops a packet each 10 ms.
fn looping(state: State) -> Packet {
    Packet {
        required_min_echo_rx: EVERY.into(),
        ..remote(state)
    }
}

fn echoing() -> Session {
    let mut session = up(with_echo());
    let _ = hear(&mut session, Duration::ZERO, looping(State::Up));
    assert!(session.has_echo());
    session
}

fn echoes(commands: &[Command]) -> Vec<u32> {
    let echoes = commands.iter().filter_map(|command| match command {
        Command::SendEcho { sequence } => Some(*sequence),
        Command::Send(_) | Command::Changed { .. } => None,
    });
    echoes.collect()
}

/// Ticks on time each interval from `first` to `last`; what each packet's number is told to.
fn run(session: &mut Session, first: u32, last: u32, mut sent: impl FnMut(&mut Session, u32)) {
    for n in first..=last {
        for sequence in echoes(&tick(session, EVERY * n)) {
            sent(session, sequence);
        }
    }
}

fn returned(session: &mut Session, sequence: u32) {
    let _ = session.handle(at(Duration::ZERO), FULL, Input::EchoReturned { sequence });
}

#[test]
fn it_needs_both_sides_and_a_session_that_is_up() {
    assert!(echoing().has_echo());
    let mut plain = up(config());
    let _ = hear(&mut plain, MS, looping(State::Up));
    assert!(!plain.has_echo(), "not asked for");
    let mut unwilling = up(with_echo());
    let _ = hear(&mut unwilling, MS, remote(State::Up));
    assert!(!unwilling.has_echo(), "the other system loops nothing");
    let mut init = start(with_echo());
    let _ = hear(&mut init, MS, looping(State::Down));
    assert_eq!(init.state(), State::Init);
    assert!(!init.has_echo());
    assert!(echoes(&tick(&mut init, SECOND * 2)).is_empty());
}

#[test]
fn it_ends_when_the_other_system_loops_no_longer() {
    let mut session = echoing();
    let _ = hear(&mut session, MS, remote(State::Up));
    assert!(!session.has_echo());
    assert!(echoes(&tick(&mut session, EVERY)).is_empty());
}

#[test]
fn the_slower_interval_is_kept() {
    for (remote_ms, expected_ms) in [(5, 10), (10, 10), (40, 40)] {
        let mut session = echoing();
        let slow = Packet {
            required_min_echo_rx: (MS * remote_ms).into(),
            ..remote(State::Up)
        };
        let _ = hear(&mut session, Duration::ZERO, slow);
        let mut times = Vec::new();
        for ms in 0..=80 {
            for sequence in echoes(&tick(&mut session, MS * ms)) {
                times.push(ms);
                returned(&mut session, sequence);
            }
        }
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == expected_ms), "{gaps:?}");
        assert!(!gaps.is_empty());
    }
}

#[test]
fn packets_that_come_back_keep_it_up() {
    let mut session = echoing();
    run(&mut session, 0, 14, returned);
    assert_eq!(session.state(), State::Up);
}

#[test]
fn the_multiplier_of_lost_ones_is_a_failure() {
    let mut session = echoing();
    run(&mut session, 0, 2, |_, _| {});
    assert_eq!(session.state(), State::Up, "the third may still come");
    let commands = tick(&mut session, EVERY * 3);
    let failed = Command::Changed {
        state: State::Down,
        diagnostic: Diagnostic::EchoFailed,
        why: Why::EchoFailed,
    };
    assert_eq!(commands[0], failed);
    assert!(echoes(&commands).is_empty() && !session.has_echo());
}

#[test]
fn one_that_comes_back_excuses_those_before_it() {
    let mut session = echoing();
    run(&mut session, 0, 13, |session, sequence| {
        if sequence % 3 == 0 {
            returned(session, sequence);
        }
    });
    assert_eq!(session.state(), State::Up);
}

#[test]
fn who_wakes_up_late_or_cannot_send_has_lost_nothing() {
    let mut session = echoing();
    let _ = tick(&mut session, EVERY);
    assert_eq!(
        echoes(&tick(&mut session, EVERY * 9)).len(),
        1,
        "not made up for"
    );
    assert_eq!(session.state(), State::Up);
    let mut session = echoing();
    run(&mut session, 0, 14, |session, sequence| {
        let _ = session.handle(at(Duration::ZERO), FULL, Input::EchoUnsent { sequence });
    });
    assert_eq!(session.state(), State::Up);
}

#[test]
fn packets_of_nobody_excuse_nothing() {
    let mut session = echoing();
    run(&mut session, 0, 2, |session, sequence| {
        returned(session, sequence + 100);
    });
    let _ = tick(&mut session, EVERY * 3);
    assert_eq!(session.state(), State::Down);
}

#[test]
fn with_it_control_packets_may_be_rare() {
    let session = echoing();
    let detection = session.detection_time();
    assert_eq!(detection, Some(SECOND * 3));
    let mut session = session;
    let told = hear(
        &mut session,
        MS,
        Packet {
            is_poll: true,
            ..looping(State::Up)
        },
    );
    assert!(
        matches!(told[..], [Command::Send(packet)] if packet.required_min_rx == Micros::SECOND)
    );
}
