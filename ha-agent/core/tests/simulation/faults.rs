//! What befalls the nodes, and what is expected of them afterwards.

use std::time::Duration;

use fastrand::Rng;
use ha_core::{
    election::{Duty, Input},
    vrrp::Primary,
};

use crate::{
    node::Node,
    world::{DELAY, LEASE, Setup, World},
};

/// Longer than any claim, and than any wait before one, but for the pause after a deaf peer.
pub(crate) const QUIET: Duration = Duration::from_millis(1_500);

/// How long a node may leave a peer alone that did not hear its claim.
pub(crate) const PAUSE_AFTER_DEAF: Duration = Duration::from_secs(5);

pub(crate) fn setup(rng: &mut Rng, nodes: usize) -> Setup {
    let priorities = (0..nodes).map(|_| match rng.u8(0..8) {
        0 => 255,
        1..4 => 100,
        _ => rng.u8(1..=254),
    });
    Setup {
        priorities: priorities.collect(),
        preempt: rng.bool(),
        dual: rng.bool(),
        lease: LEASE,
        contention: if nodes > 2 { DELAY * 2 } else { Duration::ZERO },
        silent_grace: Duration::ZERO,
        unicast: rng.bool(),
        settle: [0, 30, 100, 400].map(Duration::from_millis)[rng.usize(0..4)],
        watched: false,
    }
}

/// One fault, or one wish of the operator.
pub(crate) fn disturb(world: &mut World) {
    let node = world.rng.usize(0..world.nodes.len());
    match world.rng.u8(0..16) {
        0 => world.act(node, |node, _| node.crash()),
        1 => world.act(node, Node::stop),
        2..5 => {
            let longest = [LEASE / 2, LEASE, LEASE * 2, LEASE * 10][world.rng.usize(0..4)];
            let pause = longest.mul_f64(world.rng.f64());
            world.act(node, |node, now| node.pause(now + pause));
        }
        5 => world.operate(node, Input::Promote),
        6 => world.operate(node, Input::Release),
        7 => {
            world.act(node, |node, _| node.crash());
            start_again(world, node);
        }
        8 => {
            world.act(node, Node::hand_over);
            start_again(world, node);
        }
        9 | 10 => {
            let heir = world.rng.usize(0..=world.nodes.len());
            let heir = world.nodes.get(heir).map(|heir| heir.config.primary);
            let to = heir.and_then(Primary::v4).map(std::net::IpAddr::V4);
            world.operate(node, Input::HandOver { to });
        }
        11 => {
            let duty = [Duty::Serve, Duty::Drained, Duty::Maintenance][world.rng.usize(0..3)];
            world.operate(node, Input::Duty(duty));
        }
        _ => world.act(node, Node::start),
    }
}

/// Another agent follows: most often within the lease, now and then too late.
fn start_again(world: &mut World, node: usize) {
    let late = world.nodes[node].lease.mul_f64(world.rng.f64() * 1.2);
    world.run(late);
    world.act(node, Node::start);
}

pub(crate) fn start_all(world: &mut World) {
    for node in 0..world.nodes.len() {
        world.act(node, Node::start);
        world.operate(node, Input::Duty(Duty::Serve));
        let wait = DELAY.mul_f64(world.rng.f64() * 20.0);
        world.run(wait);
    }
}

pub(crate) fn expect_one_active(world: &World, when: &str) {
    match world.active().len() {
        1 => {}
        0 => world.fail(&format!("nobody is Active {when}")),
        _ => world.fail(&format!("several nodes are Active {when}")),
    }
}

pub(crate) fn expect_rest(world: &mut World) {
    expect_one_active(world, "in the end");
    let owner = world.active();
    let changes: usize = world.nodes.iter().map(|node| node.history.len()).sum();
    world.run(QUIET);
    let later: usize = world.nodes.iter().map(|node| node.history.len()).sum();
    if world.active() != owner || later != changes {
        world.fail("roles go on changing without a fault");
    }
}
