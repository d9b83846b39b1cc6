//! How long nobody is Active.

use std::time::Duration;

use ha_core::{
    election::Input,
    time::Time,
    vrrp::timers::{active_down_interval, skew_time},
};

use crate::{
    faults::QUIET,
    node::Node,
    world::{DELAY, INTERVAL, LEASE, Setup, World},
};

const STEP: Duration = Duration::from_micros(100);

/// Two nodes at rest, the first one Active.
fn pair(seed: u64) -> World {
    let setup = Setup {
        priorities: vec![200, 100],
        preempt: true,
        dual: seed.is_multiple_of(2),
        lease: LEASE,
        contention: Duration::ZERO,
        silent_grace: Duration::ZERO,
        settle: Duration::ZERO,
        unicast: false,
        watched: false,
    };
    let mut world = World::new(seed, &setup);
    world.network.reorders = false;
    world.act(0, Node::start);
    world.act(1, Node::start);
    let phase = INTERVAL.duration().mul_f64(world.rng.f64());
    world.run(QUIET + phase);
    assert_eq!(world.active(), [0]);
    world
}

/// Runs until `node` is Active, and says for how long nobody was.
fn outage_until(world: &mut World, node: usize) -> Duration {
    let give_up = world.now + QUIET;
    let mut last: Option<Time> = None;
    let mut outage = Duration::ZERO;
    while world.active() != [node] {
        assert!(world.now < give_up, "it never becomes Active");
        match (world.active().is_empty(), last) {
            (true, None) => last = Some(world.now),
            (true, Some(_)) => {}
            (false, _) => last = None,
        }
        world.run(STEP);
        outage = last.map_or(outage, |since| world.now.since(since));
    }
    outage
}

#[test]
fn a_dead_owner_is_replaced_after_the_active_down_interval() {
    for seed in 0..200 {
        let mut world = pair(seed);
        let died = world.now;
        world.act(0, |node, _| node.crash());
        outage_until(&mut world, 1);
        let taken = world.now.since(died);
        let down = active_down_interval(100, INTERVAL);
        assert!(taken <= down + DELAY + STEP, "after {taken:?}");
        assert!(taken + INTERVAL.duration() >= down, "after {taken:?}");
    }
}

#[test]
fn a_planned_switchover_leaves_nobody_active_for_one_message() {
    for seed in 0..200 {
        let mut world = pair(seed);
        world.operate(1, Input::Promote);
        let outage = outage_until(&mut world, 1);
        assert!(outage <= DELAY + STEP * 2, "for {outage:?}");
        world.operate(0, Input::Promote);
        let outage = outage_until(&mut world, 0);
        assert!(outage <= DELAY + STEP * 2, "for {outage:?}");
    }
}

#[test]
fn a_clean_stop_leaves_nobody_active_for_a_skew_time() {
    for seed in 0..200 {
        let mut world = pair(seed);
        world.act(0, Node::stop);
        let outage = outage_until(&mut world, 1);
        let skew = skew_time(100, INTERVAL);
        assert!(outage <= skew + DELAY + STEP * 2, "for {outage:?}");
    }
}

#[test]
fn a_stopped_owner_is_silent_before_it_is_replaced() {
    for seed in 0..200 {
        let mut world = pair(seed);
        world.act(0, |node, now| node.pause(now + QUIET * 4));
        world.run(LEASE);
        assert_eq!(world.active(), []);
        outage_until(&mut world, 1);
        world.run(QUIET * 5);
        assert_eq!(world.active(), [0], "it comes back through the election");
    }
}

#[test]
fn nobody_notices_an_agent_that_is_started_again_in_time() {
    for seed in 0..200 {
        let mut world = pair(seed);
        let changes = world.nodes[1].history.len();
        let end: fn(&mut Node, Time) = if seed % 2 == 0 {
            |node, _| node.crash()
        } else {
            Node::hand_over
        };
        world.act(0, end);
        // The last renewal was a quarter of a lease ago, at most.
        let late = LEASE.mul_f64(world.rng.f64() * 0.75);
        world.run(late);
        world.act(0, Node::start);
        assert_eq!(world.active(), [0]);
        world.run(QUIET);
        assert_eq!(world.active(), [0]);
        assert_eq!(world.nodes[1].history.len(), changes);
    }
}

/// Why nothing is renewed for an agent that is still to come.
#[test]
#[should_panic(expected = "two nodes are Active")]
fn a_renewal_without_an_advertisement_is_noticed() {
    let mut world = pair(0);
    world.act(0, |node, _| node.crash());
    for _ in 0..3 {
        world.run(LEASE / 2);
        world.act(0, |node, now| {
            let generation = node.kernel.lease.generation;
            assert!(node.kernel.renew(now, node.lease, generation));
        });
    }
    world.run(QUIET);
}
