//! Sessions that are held down (RFC 5880 section 6.8.16, RFC 5882 section 4.2).

use std::time::Duration;

use ha_core::bfd::{Command, Diagnostic, Input, State, Why};

use crate::bench::{FULL, MS, SECOND, at, config, hear, packet, remote, tick, up};

#[test]
fn who_is_held_down_says_so_at_once_and_goes_on_saying_it() {
    let mut session = up(config());
    let commands = session.handle(at(MS), FULL, Input::Disable);
    let sent = packet(&commands);
    assert_eq!(sent.state, State::AdminDown);
    assert_eq!(sent.diagnostic, Some(Diagnostic::AdministrativelyDown));
    for second in 1..5 {
        let _ = hear(&mut session, SECOND * second, remote(State::Up));
        let sent = packet(&tick(&mut session, MS + SECOND * second));
        assert_eq!(sent.state, State::AdminDown);
    }
}

#[test]
fn who_is_held_down_is_moved_by_nothing_that_comes() {
    let mut session = up(config());
    let _ = session.handle(at(MS), FULL, Input::Disable);
    for state in [State::AdminDown, State::Down, State::Init, State::Up] {
        assert!(hear(&mut session, MS * 2, remote(state)).is_empty());
    }
    let _ = tick(&mut session, SECOND * 100);
    assert_eq!(session.state(), State::AdminDown);
}

#[test]
fn who_is_let_go_comes_up_again() {
    let mut session = up(config());
    let _ = session.handle(at(MS), FULL, Input::Disable);
    let commands = session.handle(at(MS * 2), FULL, Input::Enable);
    assert_eq!(packet(&commands).state, State::Down);
    for state in [State::Down, State::Init] {
        let _ = hear(&mut session, MS * 3, remote(state));
    }
    assert_eq!(session.state(), State::Up);
    assert_eq!(session.diagnostic(), Diagnostic::None);
}

#[test]
fn the_other_systems_operator_is_no_failure() {
    let mut session = up(config());
    let commands = hear(&mut session, Duration::ZERO, remote(State::AdminDown));
    let Command::Changed {
        state,
        diagnostic,
        why,
    } = commands[0]
    else {
        panic!("{commands:?}");
    };
    assert_eq!((state, why), (State::Down, Why::PeerAdminDown));
    assert_eq!(diagnostic, Diagnostic::NeighbourDown);
    assert!(!why.is_failure());
    let commands = hear(&mut session, MS, remote(State::AdminDown));
    assert!(commands.is_empty(), "it stays so: {commands:?}");
}
