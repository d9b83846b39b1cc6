//! What an agent makes of the pins of an older one of the same schema.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use ha_common::abi::{SCHEMA, map};
use ha_lab::{agent::Agent, cluster::Service, lab::Lab, under_test};

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_map_that_an_older_agent_had_not_is_made() {
    let program = under_test::agent();
    let lab = Lab::create(&["a"]).unwrap();
    let service = Service::new(1, 1);
    let start = || {
        let agent = Agent::start(&program, lab.node(0), &service, 200).unwrap();
        let begun = Instant::now();
        while !agent.is_active().unwrap_or(false) {
            assert!(begun.elapsed() < LIMIT, "not Active within {LIMIT:?}");
            sleep(Duration::from_millis(10));
        }
        agent
    };
    let pin = |name| lab.node(0).pins().join(SCHEMA.to_string()).join(name);

    start().daemon().stop(LIMIT).unwrap();
    fs::remove_file(pin(map::ECHO)).unwrap();
    start().daemon().stop(LIMIT).unwrap();
    assert!(pin(map::ECHO).exists());

    // A map of the same name that is another one is refused, with what to do.
    fs::remove_file(pin(map::ECHO)).unwrap();
    fs::hard_link(pin(map::LIVE_PEER), pin(map::ECHO)).unwrap();
    let mut agent = Agent::start(&program, lab.node(0), &service, 200).unwrap();
    let begun = Instant::now();
    while agent.daemon().expect_running().is_ok() {
        assert!(begun.elapsed() < LIMIT, "it took another map for its own");
        sleep(Duration::from_millis(10));
    }
    let said = agent.daemon().last_words();
    assert!(said.contains("not \"ha_echo\""), "{said}");
    assert!(said.contains("detach --all"), "{said}");
}
