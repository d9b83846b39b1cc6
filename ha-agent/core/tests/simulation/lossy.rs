//! A network that loses messages, or passes them one way only: two owners cannot be excluded then, but
//! when it is whole again, one is left.

use std::time::Duration;

use fastrand::Rng;
use ha_core::election::{Cause, Role};

use crate::{
    faults::{PAUSE_AFTER_DEAF, QUIET, disturb, expect_rest, setup, start_all},
    seeds,
    world::{DELAY, LEASE, Setup, World},
};

fn simulate(seed: u64, nodes: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new(seed, &setup(&mut rng, nodes));
    world.is_strict = false;
    start_all(&mut world);
    for _ in 0..20 {
        world.network.loss = [0.0, 0.1, 0.5][rng.usize(0..3)];
        world.network.cut = (0..rng.usize(0..3))
            .map(|_| (rng.usize(0..nodes), rng.usize(0..nodes)))
            .collect();
        disturb(&mut world);
        world.run(DELAY * 2 + LEASE.mul_f64(rng.f64() * 4.0));
    }
    world.network.loss = 0.0;
    world.network.cut.clear();
    start_all(&mut world);
    world.run(LEASE * 10 + QUIET + PAUSE_AFTER_DEAF);
    expect_rest(&mut world);
}

#[test]
fn one_owner_is_left_when_the_network_is_whole_again() {
    for seed in seeds().step_by(2) {
        simulate(seed, 2);
        simulate(seed, 3);
    }
}

#[test]
fn a_claim_that_is_not_heard_does_not_make_a_second_owner() {
    let mut world = World::new(
        1,
        &Setup {
            priorities: vec![100, 200],
            preempt: true,
            dual: false,
            lease: LEASE,
            contention: Duration::ZERO,
            silent_grace: Duration::ZERO,
            settle: Duration::ZERO,
            unicast: false,
            watched: false,
        },
    );
    world.act(0, crate::node::Node::start);
    world.run(QUIET);
    world.network.cut = vec![(1, 0)];
    world.act(1, crate::node::Node::start);
    world.is_strict = false;
    world.run(QUIET * 4);
    assert_eq!(world.active(), [0]);
    let gave_up = |&(_, role, cause): &(_, _, _)| {
        role == Role::Backup && matches!(cause, Cause::NotYielding { .. })
    };
    assert!(world.nodes[1].history.iter().any(gave_up));

    world.network.cut.clear();
    world.run(PAUSE_AFTER_DEAF + QUIET);
    assert_eq!(world.active(), [1], "it is tried again");
}
