//! Nodes with leases on a network that delays and reorders: whatever is killed, paused, promoted or
//! released, no two of them are ever Active at once, and in the end one is.
#![forbid(unsafe_code)]

mod kernel;
mod network;
mod node;
mod world;

use std::time::Duration;

use fastrand::Rng;
use ha_core::election::Input;

use crate::{
    node::Node,
    world::{DELAY, LEASE, Setup, World},
};

/// Longer than any claim, and than any wait before one, but for the pause after a deaf peer.
const QUIET: Duration = Duration::from_millis(1_500);

fn setup(rng: &mut Rng, nodes: usize) -> Setup {
    let priorities = (0..nodes).map(|_| match rng.u8(0..8) {
        0 => 255,
        1..4 => 100,
        _ => rng.u8(1..=254),
    });
    Setup {
        priorities: priorities.collect(),
        preempt: rng.bool(),
        dual: rng.bool(),
        contention: if nodes > 2 { DELAY * 2 } else { Duration::ZERO },
    }
}

/// One fault, or one wish of the operator.
fn disturb(world: &mut World) {
    let node = world.rng.usize(0..world.nodes.len());
    match world.rng.u8(0..9) {
        0 => world.act(node, |node, _| node.crash()),
        1 => world.act(node, Node::stop),
        2..5 => {
            let longest = [LEASE / 2, LEASE, LEASE * 2, LEASE * 10][world.rng.usize(0..4)];
            let pause = longest.mul_f64(world.rng.f64());
            world.act(node, |node, now| node.pause(now + pause));
        }
        5 => world.operate(node, Input::Promote),
        6 => world.operate(node, Input::Release),
        _ => world.act(node, Node::start),
    }
}

fn start_all(world: &mut World) {
    for node in 0..world.nodes.len() {
        world.act(node, Node::start);
        let wait = DELAY.mul_f64(world.rng.f64() * 20.0);
        world.run(wait);
    }
}

fn expect_one_active(world: &World, when: &str) {
    match world.active().len() {
        1 => {}
        0 => world.fail(&format!("nobody is Active {when}")),
        _ => world.fail(&format!("several nodes are Active {when}")),
    }
}

fn expect_rest(world: &mut World) {
    expect_one_active(world, "in the end");
    let owner = world.active();
    let changes: usize = world.nodes.iter().map(|node| node.history.len()).sum();
    world.run(QUIET);
    let later: usize = world.nodes.iter().map(|node| node.history.len()).sum();
    if world.active() != owner || later != changes {
        world.fail("roles go on changing without a fault");
    }
}

fn simulate(seed: u64, nodes: usize) {
    let mut rng = Rng::with_seed(seed);
    let mut world = World::new(seed, &setup(&mut rng, nodes));
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
        if pause > QUIET && world.nodes.iter().any(Node::is_running) {
            expect_one_active(&world, "after a quiet time");
        }
    }
    start_all(&mut world);
    world.run(LEASE * 10 + QUIET);
    expect_rest(&mut world);
}

/// How many worlds each test looks at; `HA_SIMULATION_SEEDS` sets it for a longer soak.
fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("HA_SIMULATION_SEEDS").map(|count| count.parse());
    0..count.map_or(600, |count| count.expect("HA_SIMULATION_SEEDS is a number"))
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
