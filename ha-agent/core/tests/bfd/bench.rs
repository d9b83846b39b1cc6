//! One session, and what the other system might say to it.

use std::{
    num::{NonZeroU8, NonZeroU32},
    time::Duration,
};

use ha_core::{
    bfd::{Command, Config, Diagnostic, Input, Micros, Packet, Session, State},
    time::Time,
};

pub(crate) const MS: Duration = Duration::from_millis(1);
/// Own interval while Up, either way.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// The random number that takes nothing off an interval.
pub(crate) const FULL: u32 = u32::MAX;
pub(crate) const OWN: NonZeroU32 = NonZeroU32::new(0x1111).unwrap();
pub(crate) const REMOTE: NonZeroU32 = NonZeroU32::new(0x2222).unwrap();
pub(crate) const MULT: NonZeroU8 = NonZeroU8::new(3).unwrap();
/// The Detection Time of [`up`].
pub(crate) const DETECTION: Duration = Duration::from_millis(150);

pub(crate) fn at(since: Duration) -> Time {
    Time::from_origin(since)
}

pub(crate) fn config() -> Config {
    Config {
        desired_min_tx: INTERVAL.into(),
        required_min_rx: INTERVAL.into(),
        detect_mult: MULT,
        is_passive: false,
        required_min_echo_rx: Micros::ZERO,
        echo_interval: None,
    }
}

/// The other system, in this state, at the same intervals.
pub(crate) fn remote(state: State) -> Packet {
    Packet {
        diagnostic: Some(Diagnostic::None),
        state,
        is_poll: false,
        is_final: false,
        is_demand: false,
        detect_mult: MULT,
        my_discriminator: REMOTE,
        your_discriminator: Some(OWN),
        desired_min_tx: INTERVAL.into(),
        required_min_rx: INTERVAL.into(),
        required_min_echo_rx: Micros::ZERO,
    }
}

pub(crate) fn start(config: Config) -> Session {
    let mut session = Session::new(OWN, config);
    let _ = session.handle(at(Duration::ZERO), FULL, Input::Start);
    session
}

/// A session that has come Up at time zero; the change of its interval is not confirmed yet.
pub(crate) fn coming_up(config: Config) -> Session {
    let mut session = start(config);
    for state in [State::Down, State::Up] {
        let _ = hear(&mut session, Duration::ZERO, remote(state));
    }
    assert_eq!(session.state(), State::Up);
    session
}

/// A session that is Up and settled: what is told is in force. Last heard at time zero.
pub(crate) fn up(config: Config) -> Session {
    let mut session = coming_up(config);
    for is_final in [true, false] {
        let packet = Packet {
            is_final,
            ..remote(State::Up)
        };
        let _ = hear(&mut session, Duration::ZERO, packet);
    }
    session
}

pub(crate) fn hear(session: &mut Session, now: Duration, packet: Packet) -> Vec<Command> {
    session.handle(at(now), FULL, Input::Packet(packet))
}

pub(crate) fn tick(session: &mut Session, now: Duration) -> Vec<Command> {
    session.handle(at(now), FULL, Input::Timer)
}

/// The control packets among the commands.
pub(crate) fn packets(commands: &[Command]) -> Vec<Packet> {
    let packets = commands.iter().filter_map(|command| match command {
        Command::Send(packet) => Some(*packet),
        Command::Changed { .. } | Command::SendEcho { .. } => None,
    });
    packets.collect()
}

/// The only control packet among the commands.
pub(crate) fn packet(commands: &[Command]) -> Packet {
    match packets(commands)[..] {
        [packet] => packet,
        _ => panic!("{commands:?}"),
    }
}
