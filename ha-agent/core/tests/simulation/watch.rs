//! Nodes that probe each other: answered by the kernel of the other, whatever its agent does.

use std::{net::IpAddr, time::Duration};

use fastrand::Rng;
use ha_common::fence::Standing;
use ha_core::{election::Input, time::Time, vrrp::Liveness};

use crate::{
    faults::{QUIET, disturb, expect_one_active, expect_rest, setup, start_all},
    node::Node,
    seeds,
    world::{DELAY, LEASE, World},
};

/// From one probe to the next.
const PROBE: Duration = Duration::from_millis(10);

/// Probes and questions under way.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    next_probe: Time,
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    arrives: Time,
    asker: usize,
    peer: IpAddr,
    is_active: bool,
}

impl Watch {
    pub(crate) fn next_event(&self) -> Time {
        let answers = self.answers.iter().map(|answer| answer.arrives);
        answers
            .min()
            .map_or(self.next_probe, |next| next.min(self.next_probe))
    }
}

impl World {
    /// Does what is due of probes and answers.
    pub(crate) fn probe(&mut self) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        let now = self.now;
        let (due, later) = std::mem::take(&mut watch.answers)
            .into_iter()
            .partition(|answer| answer.arrives <= now);
        watch.answers = later;
        let probes = watch.next_probe <= now;
        if probes {
            watch.next_probe = now + PROBE;
        }
        for Answer {
            asker,
            peer,
            is_active,
            ..
        } in due
        {
            self.operate(asker, Input::Answer { peer, is_active });
        }
        for asker in 0..self.nodes.len() {
            for other in (0..self.nodes.len()).filter(|other| probes && *other != asker) {
                let state = if self.nodes[other].kernel.is_up() {
                    Liveness::Up
                } else {
                    Liveness::Down
                };
                let addresses = addresses(&self.nodes[other]);
                self.act(asker, |node, now| {
                    node.probed(now, other, state, &addresses);
                });
            }
        }
    }

    /// The other's kernel answers what it is now; the answer takes its time.
    pub(crate) fn take_questions(&mut self, asker: usize) {
        for peer in std::mem::take(&mut self.nodes[asker].questions) {
            let meant = self
                .nodes
                .iter()
                .find(|node| node.config.primary.contains(peer));
            let standing = meant.expect("a peer is a node").kernel.standing();
            let answer = Answer {
                arrives: self.now + DELAY.mul_f64(self.rng.f64()),
                asker,
                peer,
                is_active: matches!(standing, Standing::Active | Standing::Claiming),
            };
            let watch = self.watch.as_mut().expect("only who watches asks");
            watch.answers.push(answer);
        }
    }
}

fn addresses(node: &Node) -> Vec<IpAddr> {
    let own = node.config.primary;
    let (v4, v6) = (own.v4().map(IpAddr::V4), own.v6().map(IpAddr::V6));
    v4.into_iter().chain(v6).collect()
}

fn simulate(seed: u64, nodes: usize) {
    let mut setup = setup(&mut Rng::with_seed(seed), nodes);
    setup.watched = true;
    // Longer than what advertisements alone allow.
    setup.lease = LEASE * (1 + u32::try_from(seed % 4).expect("it is below four"));
    let mut world = World::new(seed, &setup);
    let quiet = QUIET + setup.lease * 2;
    start_all(&mut world);
    for _ in 0..40 {
        disturb(&mut world);
        let pause = match world.rng.u8(0..10) {
            0 => quiet + LEASE * 10,
            1..4 => DELAY * 2,
            _ => DELAY * 2 + setup.lease.mul_f64(world.rng.f64() * 3.0),
        };
        world.run(pause);
        if pause > quiet && world.nodes.iter().any(Node::may_serve) {
            expect_one_active(&world, "after a quiet time");
        }
    }
    start_all(&mut world);
    world.run(LEASE * 10 + quiet);
    expect_rest(&mut world);
}

#[test]
fn two_watched_nodes_never_have_two_owners_however_long_the_lease() {
    for seed in seeds().step_by(2) {
        simulate(seed, 2);
    }
}

#[test]
fn three_watched_nodes_never_have_two_owners_however_long_the_lease() {
    for seed in seeds().step_by(4) {
        simulate(seed, 3);
    }
}
