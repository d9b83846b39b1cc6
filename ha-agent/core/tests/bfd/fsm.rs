//! The whole table: each state against each event.

use ha_core::bfd::{
    Diagnostic, State, Why,
    fsm::{Event, Transition, next},
};

use State::{AdminDown, Down, Init, Up};

const STATES: [State; 4] = [AdminDown, Down, Init, Up];

/// RFC 5880 section 6.8.6: rows are the own state, columns what the other system says, in the order of
/// [`STATES`].
const RECEIVED: [[State; 4]; 4] = [
    [AdminDown, AdminDown, AdminDown, AdminDown],
    [Down, Init, Up, Down],
    [Down, Init, Up, Up],
    [Down, Down, Up, Up],
];

#[test]
fn what_the_other_system_says_moves_the_state_as_the_table_has_it() {
    for (own, row) in STATES.into_iter().zip(RECEIVED) {
        for (remote, expected) in STATES.into_iter().zip(row) {
            let transition = next(own, Event::Received(remote));
            let state = transition.map_or(own, |transition| transition.state);
            assert_eq!(state, expected, "{own:?} hears {remote:?}");
            assert_eq!(transition.is_some(), expected != own);
        }
    }
}

#[test]
fn every_other_event_moves_what_it_must_and_nothing_else() {
    use Event::{DetectionTimeExpired, Disable, EchoFailed, Enable};
    let table = [
        (DetectionTimeExpired, [AdminDown, Down, Down, Down]),
        (EchoFailed, [AdminDown, Down, Init, Down]),
        (Disable, [AdminDown, AdminDown, AdminDown, AdminDown]),
        (Enable, [Down, Down, Init, Up]),
    ];
    for (event, row) in table {
        for (own, expected) in STATES.into_iter().zip(row) {
            let state = next(own, event).map_or(own, |transition| transition.state);
            assert_eq!(state, expected, "{own:?}, {event:?}");
        }
    }
}

fn why(state: State, event: Event) -> Option<(Option<Diagnostic>, Why)> {
    next(state, event).map(
        |Transition {
             diagnostic, why, ..
         }| (diagnostic, why),
    )
}

#[test]
fn each_change_says_why() {
    for (own, event, diagnostic, reason) in [
        (
            Up,
            Event::Received(Down),
            Diagnostic::NeighbourDown,
            Why::PeerDown,
        ),
        (
            Up,
            Event::Received(AdminDown),
            Diagnostic::NeighbourDown,
            Why::PeerAdminDown,
        ),
        (
            Init,
            Event::Received(AdminDown),
            Diagnostic::NeighbourDown,
            Why::PeerAdminDown,
        ),
        (
            Up,
            Event::DetectionTimeExpired,
            Diagnostic::DetectionTimeExpired,
            Why::DetectionTimeExpired,
        ),
        (
            Init,
            Event::DetectionTimeExpired,
            Diagnostic::DetectionTimeExpired,
            Why::DetectionTimeExpired,
        ),
        (
            Up,
            Event::EchoFailed,
            Diagnostic::EchoFailed,
            Why::EchoFailed,
        ),
        (
            Up,
            Event::Disable,
            Diagnostic::AdministrativelyDown,
            Why::Disabled,
        ),
        (
            Init,
            Event::Received(Up),
            Diagnostic::None,
            Why::Established,
        ),
        (
            Down,
            Event::Received(Init),
            Diagnostic::None,
            Why::Established,
        ),
    ] {
        assert_eq!(why(own, event), Some((Some(diagnostic), reason)));
    }
    let heard = why(Down, Event::Received(Down));
    assert_eq!(heard, Some((None, Why::Heard)), "what was wrong still is");
    assert_eq!(why(AdminDown, Event::Enable), Some((None, Why::Enabled)));
}

#[test]
fn to_be_held_down_is_no_failure() {
    for why in [
        Why::PeerAdminDown,
        Why::Disabled,
        Why::Enabled,
        Why::Heard,
        Why::Established,
    ] {
        assert!(!why.is_failure(), "{why}");
    }
    for why in [Why::PeerDown, Why::DetectionTimeExpired, Why::EchoFailed] {
        assert!(why.is_failure(), "{why}");
    }
}
