use super::{Change, Config, Duration, Heard, Liveness, Reply, Said, Session, Time};

const MS: Duration = Duration::from_millis(1);
const CONFIG: Config = Config {
    interval: Duration::from_millis(3),
    multiplier: 3,
};

const fn at(millis: u64) -> Time {
    Time::from_origin(Duration::from_millis(millis))
}

const fn reply(millis: u64, said: Said) -> Heard {
    Heard {
        reply: Some(Reply {
            at: at(millis),
            said,
            sequence: 0,
        }),
        request: None,
    }
}

/// Answered each 3 ms until 30 ms.
fn up() -> Session {
    let mut session = Session::new(at(0), CONFIG);
    for probe in 0..=10 {
        let now = at(probe * 3);
        assert!(session.is_due(now));
        session.sent(now, now, true);
        let change = session.observe(now, reply(probe * 3, Said::Up));
        assert_eq!(change.is_some(), probe == 0);
    }
    assert_eq!(session.liveness(), Some(Liveness::Up));
    session
}

#[test]
fn three_intervals_of_silence_are_a_loss() {
    let mut session = up();
    for now in [33, 36] {
        assert_eq!(session.deadline(), at(now));
        session.sent(at(now), at(now), true);
        assert_eq!(session.observe(at(now), reply(30, Said::Up)), None);
    }
    assert_eq!(session.deadline(), at(39));
    let change = session.observe(at(39), reply(30, Said::Up));
    let liveness = Liveness::Lost;
    let silence = MS * 9;
    assert_eq!(change, Some(Change { liveness, silence }));
    assert_eq!(session.observe(at(40), reply(30, Said::Up)), None, "once");
}

#[test]
fn who_wakes_up_late_has_asked_nothing_that_could_be_answered() {
    let mut session = up();
    assert_eq!(session.observe(at(500), reply(30, Said::Up)), None);
    session.sent(at(500), at(500), true);
    assert_eq!(session.observe(at(501), reply(30, Said::Up)), None);
    assert_eq!(session.deadline(), at(503));
    assert_eq!(session.observe(at(503), reply(500, Said::Up)), None);
    assert_eq!(session.liveness(), Some(Liveness::Up));
}

#[test]
fn probes_that_did_not_leave_do_not_count() {
    let mut session = up();
    for now in (33..100).step_by(3) {
        session.sent(at(now), at(now), false);
        assert_eq!(session.observe(at(now), reply(30, Said::Up)), None);
    }
}

#[test]
fn a_question_of_the_peer_is_a_sign_of_life() {
    let mut session = up();
    for now in (33..100).step_by(3) {
        session.sent(at(now), at(now), true);
        let heard = Heard {
            request: Some(at(now - 1)),
            ..reply(30, Said::Up)
        };
        assert_eq!(session.observe(at(now), heard), None);
    }
}

#[test]
fn a_lapsed_lease_is_told_by_the_next_answer() {
    let mut session = up();
    let change = session.observe(at(33), reply(33, Said::AdminDown));
    assert_eq!(change.map(|c| c.liveness), Some(Liveness::Down));
    let change = session.observe(at(36), reply(36, Said::Up));
    assert_eq!(change.map(|c| c.liveness), Some(Liveness::Up));
}

#[test]
fn a_lost_peer_is_back_with_its_first_answer() {
    let mut session = up();
    for now in [33, 36, 39] {
        session.sent(at(now), at(now), true);
        let _ = session.observe(at(now), reply(30, Said::Up));
    }
    assert_eq!(session.liveness(), Some(Liveness::Lost));
    let asks = Heard {
        request: Some(at(41)),
        ..reply(30, Said::Up)
    };
    assert_eq!(session.observe(at(42), asks), None, "it may not hear");
    let change = session.observe(at(45), reply(45, Said::Up));
    assert_eq!(change.map(|c| c.liveness), Some(Liveness::Up));
}

#[test]
fn of_a_peer_that_never_answered_nothing_is_said() {
    let mut session = Session::new(at(0), CONFIG);
    for now in (0..100).step_by(3) {
        session.sent(at(now), at(now), true);
        assert_eq!(session.observe(at(now), Heard::default()), None);
    }
    assert_eq!(session.liveness(), None);
}

#[test]
fn the_longest_silence_is_kept() {
    let mut session = up();
    assert_eq!(session.longest_silence(), MS * 3);
    for now in [33, 36] {
        session.sent(at(now), at(now), true);
    }
    let _ = session.observe(at(37), reply(37, Said::Up));
    assert_eq!(session.longest_silence(), MS * 7);
}

#[test]
fn the_own_lateness_is_not_the_peers_silence() {
    let mut session = up();
    session.sent(at(500), at(500), true);
    let _ = session.observe(at(501), reply(501, Said::Up));
    assert_eq!(session.longest_silence(), MS * 4);
}

#[test]
fn the_silence_of_a_lost_peer_is_not_one_that_it_survived() {
    let mut session = up();
    for now in [33, 36, 39] {
        session.sent(at(now), at(now), true);
        let _ = session.observe(at(now), reply(30, Said::Up));
    }
    let _ = session.observe(at(9_000), reply(9_000, Said::Up));
    assert_eq!(session.liveness(), Some(Liveness::Up));
    assert_eq!(session.longest_silence(), MS * 3);
}

#[test]
fn an_answer_tells_how_long_it_took() {
    let mut session = up();
    assert_eq!(session.sequence(), 11);
    session.sent(at(33), at(34), true);
    let heard = Heard {
        reply: Some(Reply {
            at: at(35),
            said: Said::Up,
            sequence: 11,
        }),
        request: None,
    };
    let _ = session.observe(at(36), heard);
    assert_eq!(session.round_trip().map(|trip| trip.last), Some(MS * 2));
}

#[test]
fn of_a_peer_that_still_asked_but_did_not_answer_its_death_is_not_told() {
    let mut session = up();
    // Its questions come until 48 ms.
    let heard = |now: u64| Heard {
        request: Some(at(now.min(48))),
        ..reply(30, Said::Up)
    };
    for now in (33..57).step_by(3) {
        session.sent(at(now), at(now), true);
        assert_eq!(session.observe(at(now), heard(now)), None);
    }
    session.sent(at(57), at(57), true);
    let change = session.observe(at(57), heard(57));
    assert_eq!(change.map(|c| c.liveness), Some(Liveness::Unknown));
    // It asks again, which says as little.
    let asks = Heard {
        request: Some(at(60)),
        ..reply(30, Said::Up)
    };
    assert_eq!(session.observe(at(60), asks), None);
    let change = session.observe(at(63), reply(63, Said::Up));
    assert_eq!(change.map(|c| c.liveness), Some(Liveness::Up));
}
