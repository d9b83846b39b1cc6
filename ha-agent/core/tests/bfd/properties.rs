//! What holds whatever is put in, in whatever order.

use std::{num::NonZeroU8, time::Duration};

use ha_core::{
    bfd::{Command, Config, Input, Micros, Packet, Session, State},
    time::Time,
};
use proptest::prelude::*;

use crate::bench::{OWN, config, remote};

fn any_micros() -> impl Strategy<Value = Micros> {
    prop_oneof![Just(0), 3_000..2_000_000_u32, any::<u32>()].prop_map(Micros::new)
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let state = prop::sample::select(&[State::AdminDown, State::Down, State::Init, State::Up][..]);
    let times = (any_micros(), any_micros(), any_micros());
    (state, any::<(bool, bool, bool)>(), times, 1_u8..).prop_map(
        |(state, (is_poll, is_final, is_demand), times, mult)| Packet {
            is_poll,
            is_final,
            is_demand,
            detect_mult: NonZeroU8::new(mult).expect("it is not zero"),
            desired_min_tx: times.0,
            required_min_rx: times.1,
            required_min_echo_rx: times.2,
            ..remote(state)
        },
    )
}

fn any_config() -> impl Strategy<Value = Config> {
    let times = (any_micros(), any_micros(), prop::option::of(any_micros()));
    (times, 1_u8.., any::<bool>()).prop_map(|(times, mult, is_passive)| Config {
        desired_min_tx: times.0,
        required_min_rx: times.1,
        echo_interval: times.2,
        detect_mult: NonZeroU8::new(mult).expect("it is not zero"),
        is_passive,
        ..config()
    })
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => Just(Input::Timer),
        8 => any_packet().prop_map(Input::Packet),
        1 => Just(Input::Start),
        1 => Just(Input::Disable),
        1 => Just(Input::Enable),
        1 => any_config().prop_map(Input::Configure),
        2 => (0..20_u32).prop_map(|sequence| Input::EchoReturned { sequence }),
        1 => (0..20_u32).prop_map(|sequence| Input::EchoUnsent { sequence }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn commands_and_timers_are_consistent(
        first in any_config(),
        inputs in prop::collection::vec((any_input(), 0..2_000_000_u64, any::<bool>(), any::<u32>()), 1..60),
    ) {
        let mut session = Session::new(OWN, first);
        let _ = session.handle(Time::default(), 0, Input::Start);
        let mut now = Time::default();
        let mut is_passive = first.is_passive;
        for (input, wait, until_deadline, random) in inputs {
            now = match session.deadline() {
                Some(deadline) if until_deadline => deadline.max(now),
                Some(_) | None => now + Duration::from_micros(wait),
            };
            if let Input::Configure(config) = input {
                is_passive = config.is_passive;
            }
            let before = session.state();
            let commands = session.handle(now, random, input);
            let mut state = before;
            let mut sent = 0;
            for command in &commands {
                match command {
                    Command::Changed { state: new, diagnostic, why } => {
                        prop_assert_ne!(*new, state);
                        prop_assert_eq!(sent, 0, "the change comes first");
                        prop_assert_eq!(*diagnostic, session.diagnostic());
                        prop_assert!(!why.is_failure() || *new == State::Down);
                        state = *new;
                    }
                    Command::Send(packet) => {
                        sent += 1;
                        prop_assert!(!(packet.is_poll && packet.is_final));
                        prop_assert_eq!(packet.state, state);
                        prop_assert_eq!(packet.my_discriminator, OWN);
                        let remote = session.remote().map(|r| r.my_discriminator);
                        prop_assert_eq!(packet.your_discriminator, remote);
                        prop_assert!(state == State::Up || packet.desired_min_tx >= Micros::SECOND);
                        prop_assert!(!is_passive || remote.is_some());
                        let asked = matches!(input, Input::Packet(packet) if packet.is_poll);
                        prop_assert_eq!(packet.is_final, asked);
                    }
                    Command::SendEcho { .. } => {
                        prop_assert_eq!(state, State::Up);
                        prop_assert!(session.has_echo());
                    }
                }
            }
            prop_assert!(sent <= 1);
            prop_assert_eq!(state, session.state());
            if input == Input::Timer {
                // What ended an echo function has shortened the Detection Time, which may be over with that.
                if session.deadline().is_some_and(|deadline| deadline <= now) {
                    let _ = session.handle(now, random, Input::Timer);
                }
                let is_later = session.deadline().is_none_or(|deadline| now < deadline);
                prop_assert!(is_later, "the timer must not fire for ever");
            }
        }
    }

    #[test]
    fn what_is_far_in_the_future_does_not_overflow(inputs in prop::collection::vec(any_input(), 1..20)) {
        let mut session = Session::new(OWN, config());
        let now = Time::from_origin(Duration::MAX);
        let _ = session.handle(now, 0, Input::Start);
        for input in inputs {
            let _ = session.handle(now, u32::MAX, input);
        }
    }
}
