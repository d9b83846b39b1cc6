//! A network that loses nothing: never two owners.

use std::{net::IpAddr, time::Duration};

use fastrand::Rng;
use ha_common::fence::Standing;
use ha_core::election::Input;

use crate::{
    faults::{PAUSE_AFTER_DEAF, QUIET, disturb, expect_one_active, expect_rest, setup, start_all},
    node::Node,
    seeds,
    world::{DELAY, LEASE, Setup, World},
};

fn simulate(seed: u64, nodes: usize) {
    let setup = setup(&mut Rng::with_seed(seed), nodes);
    simulate_with(seed, &setup);
}

fn simulate_with(seed: u64, setup: &Setup) {
    let mut world = World::new(seed, setup);
    start_all(&mut world);
    for _ in 0..40 {
        disturb(&mut world);
        // An operator is slower than a message; a fault need not be.
        let pause = match world.rng.u8(0..10) {
            0 => QUIET + LEASE * 10,
            1..4 => DELAY * 2,
            _ => DELAY * 2 + LEASE.mul_f64(world.rng.f64() * 3.0),
        };
        world.run(pause);
        if pause > QUIET && world.nodes.iter().any(Node::may_serve) {
            expect_one_active(&world, "after a quiet time");
        }
    }
    start_all(&mut world);
    world.run(LEASE * 10 + QUIET);
    if LEASE < setup.lease {
        world.run(PAUSE_AFTER_DEAF);
    }
    expect_rest(&mut world);
}

#[test]
fn two_nodes_never_have_two_owners() {
    for seed in seeds() {
        simulate(seed, 2);
    }
}

#[test]
fn three_nodes_never_have_two_owners() {
    for seed in seeds() {
        simulate(seed, 3);
    }
}

#[test]
fn five_nodes_never_have_two_owners() {
    for seed in seeds().step_by(4) {
        simulate(seed, 5);
    }
}

/// Who hands over is relieved by whom it asked, and nobody moves after that.
#[test]
fn a_quiet_network_hands_over_to_whom_is_asked() {
    for seed in seeds() {
        let nodes = 2 + (seed % 3) as usize;
        let mut setup = setup(&mut Rng::with_seed(seed), nodes);
        setup.contention = DELAY * 2;
        // Unicast peers do not know that one of them alone is asked.
        setup.unicast &= nodes == 2;
        // Nothing is above the owner of the addresses, who would preempt.
        for priority in &mut setup.priorities {
            *priority = (*priority).min(250);
        }
        let mut world = World::new(seed, &setup);
        start_all(&mut world);
        world.run(LEASE * 10 + QUIET);
        let owner = world.active()[0];
        let heir = (owner + 1 + world.rng.usize(0..nodes - 1)) % nodes;
        let to = world.nodes[heir].config.primary.v4().map(IpAddr::V4);
        world.operate(owner, Input::HandOver { to });
        let settle = world.nodes[owner].config.settle;
        let mut has_handed_on = false;
        let end = world.now + QUIET + settle;
        while world.now < end {
            world.run(DELAY / 2);
            if world.nodes[owner].hands_on.is_some() {
                has_handed_on = true;
                let is_ready = match world.nodes[heir].kernel.standing() {
                    Standing::Active | Standing::Claiming => true,
                    Standing::Backup | Standing::Fenced(_) => false,
                };
                if !is_ready {
                    world.fail("new work is handed on to who does not deliver it");
                }
            }
        }
        if has_handed_on == settle.is_zero() {
            world.fail(&format!(
                "settles for {settle:?}, handed on: {has_handed_on}"
            ));
        }
        if world.active() != [heir] {
            world.fail(&format!("node {heir} was asked and is not Active"));
        }
    }
}

/// The rules are there for a reason, and the simulation would notice if they were broken.
#[test]
#[should_panic(expected = "two nodes are Active")]
fn a_lease_that_outlasts_detection_is_noticed() {
    for seed in 0..600 {
        let mut setup = setup(&mut Rng::with_seed(seed), 2);
        setup.lease = LEASE * 2;
        simulate_with(seed, &setup);
    }
}

/// As where probes are configured, but never come through.
#[test]
fn a_longer_lease_is_waited_for() {
    for seed in seeds().step_by(2) {
        let mut setup = setup(&mut Rng::with_seed(seed), 2);
        setup.lease = LEASE * 3;
        setup.silent_grace = LEASE * 2;
        simulate_with(seed, &setup);
    }
}

#[test]
#[should_panic(expected = "two nodes are Active")]
fn three_nodes_without_contention_are_noticed() {
    for seed in 0..600 {
        let mut setup = setup(&mut Rng::with_seed(seed), 3);
        setup.contention = Duration::ZERO;
        simulate_with(seed, &setup);
    }
}
