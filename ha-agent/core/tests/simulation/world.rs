//! Nodes on a network, the faults that befall them, and what must hold throughout.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
    time::Duration,
};

use fastrand::Rng;
use ha_common::fence::Standing;
use ha_core::{
    election::Input,
    time::Time,
    vrrp::{Addresses, Advertisement, Centiseconds, Peers, Primary, Version, VrrpConfig},
};

use crate::{
    network::{Message, Network},
    node::{Node, Outgoing},
    watch::Watch,
};

pub(crate) const INTERVAL: Centiseconds = match Centiseconds::new(10) {
    Some(interval) => interval,
    None => panic!("ten centiseconds are an interval"),
};
pub(crate) const DELAY: Duration = Duration::from_millis(5);
/// The longest that the rule allows whatever the priorities:
/// lease + interval + delay = 3 intervals.
pub(crate) const LEASE: Duration = Duration::from_millis(195);

const VRID: NonZeroU8 = NonZeroU8::MIN;

/// How the nodes are set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) priorities: Vec<u8>,
    pub(crate) preempt: bool,
    pub(crate) dual: bool,
    pub(crate) lease: Duration,
    pub(crate) contention: Duration,
    pub(crate) silent_grace: Duration,
    pub(crate) unicast: bool,
    pub(crate) settle: Duration,
    /// Whether the nodes probe each other.
    pub(crate) watched: bool,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) rng: Rng,
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Network,
    /// Whether two Active nodes at once are a failure.
    pub(crate) is_strict: bool,
    pub(crate) watch: Option<Watch>,
    seed: u64,
}

impl World {
    pub(crate) fn new(seed: u64, setup: &Setup) -> Self {
        let nodes = (0_u8..).zip(&setup.priorities).map(|(i, &priority)| {
            let config = VrrpConfig {
                version: Version::V3,
                vrid: VRID,
                priority: NonZeroU8::new(priority).expect("priorities are not zero"),
                advert_interval: INTERVAL,
                preempt: setup.preempt,
                preempt_delay: Duration::ZERO,
                startup_delay: Duration::ZERO,
                primary: primary(i, setup.dual),
                peers: peers(i, setup),
                yield_grace: setup.lease.max(LEASE) + DELAY,
                contention: setup.contention,
                settle: setup.settle,
                loss_grace: Duration::ZERO,
                silent_grace: setup.silent_grace,
                needs_witness: false,
                is_pair: setup.watched && setup.priorities.len() == 2,
                is_synced: false,
            };
            Node::new(config, setup.lease)
        });
        Self {
            now: Time::default(),
            rng: Rng::with_seed(seed),
            nodes: nodes.collect(),
            network: Network::new(DELAY),
            is_strict: true,
            watch: setup.watched.then(Watch::default),
            seed,
        }
    }

    /// Lets `duration` pass.
    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next_event().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            while let Some(message) = self.network.receive(self.now) {
                self.nodes[message.receiver].receive(message.clone());
                self.step(message.receiver);
            }
            self.probe();
            for node in 0..self.nodes.len() {
                self.step(node);
            }
        }
        self.now = end;
    }

    /// Does something to a node.
    pub(crate) fn act(&mut self, node: usize, act: impl FnOnce(&mut Node, Time)) {
        act(&mut self.nodes[node], self.now);
        self.deliver_outbox(node);
        self.check();
    }

    pub(crate) fn operate(&mut self, node: usize, input: Input) {
        self.act(node, |node, now| node.operate(now, input));
    }

    pub(crate) fn active(&self) -> Vec<usize> {
        let stands = |&node: &usize| self.nodes[node].kernel.standing() == Standing::Active;
        (0..self.nodes.len()).filter(stands).collect()
    }

    /// Fails the test with the history of all nodes.
    pub(crate) fn fail(&self, what: &str) -> ! {
        let mut story: Vec<_> = (0..self.nodes.len())
            .flat_map(|n| {
                self.nodes[n]
                    .history
                    .iter()
                    .map(move |h| (h.0, n, h.1, h.2))
            })
            .collect();
        story.sort_by_key(|line| line.0);
        let first = story.len().saturating_sub(40);
        for (time, node, role, cause) in &story[first..] {
            eprintln!(
                "{:>12?}  node {node}  {role:?}: {cause}",
                time.since_origin()
            );
        }
        panic!(
            "seed {}: {what} at {:?}",
            self.seed,
            self.now.since_origin()
        );
    }

    fn next_event(&self) -> Option<Time> {
        let nodes = self.nodes.iter().filter_map(Node::deadline);
        let watch = self.watch.as_ref().map(Watch::next_event);
        nodes.chain(self.network.next_arrival()).chain(watch).min()
    }

    fn step(&mut self, node: usize) {
        self.nodes[node].run(&mut self.rng, self.now);
        self.deliver_outbox(node);
        self.check();
    }

    fn check(&self) {
        if self.is_strict && self.active().len() > 1 {
            self.fail("two nodes are Active");
        }
        // Where the lease is long, a paused owner keeps its addresses and does not yield, and a claimer may
        // have been paused for most of its claim.
        let may_be_deaf = self.nodes.iter().any(|node| LEASE < node.lease);
        let may_be_deaf = may_be_deaf || self.watch.is_some();
        if self.is_strict && !may_be_deaf && self.nodes.iter().any(Node::took_peer_for_deaf) {
            self.fail("a peer was taken for deaf on a network that loses nothing");
        }
    }

    fn deliver_outbox(&mut self, sender: usize) {
        self.take_questions(sender);
        for outgoing in std::mem::take(&mut self.nodes[sender].outbox) {
            for receiver in (0..self.nodes.len()).filter(|&receiver| receiver != sender) {
                self.transmit(sender, receiver, outgoing);
            }
        }
    }

    fn transmit(&mut self, sender: usize, receiver: usize, outgoing: Outgoing) {
        let peer = self.nodes[receiver].config.primary;
        let is_unicast = self.nodes[sender].config.peers != Peers::Multicast;
        if outgoing.to.is_some_and(|to| !peer.contains(to)) {
            return;
        }
        let is_wanted = |own: IpAddr| outgoing.to.is_none_or(|to| to.is_ipv4() == own.is_ipv4());
        let own = self.nodes[sender].config.primary;
        let v4 = own.v4().map(IpAddr::V4);
        let v6 = own.v6().map(IpAddr::V6);
        for from in v4.into_iter().chain(v6).filter(|&own| is_wanted(own)) {
            let message = Message {
                arrives: self.now,
                receiver,
                from,
                direct: outgoing.to.is_some() || is_unicast,
                advert: Advertisement {
                    version: Version::V3,
                    vrid: VRID,
                    priority: outgoing.priority,
                    max_advert_interval: INTERVAL,
                    addresses: Addresses::V4(vec![Ipv4Addr::new(10, 77, 1, 1)]),
                },
            };
            self.network.send(&mut self.rng, self.now, sender, message);
        }
    }
}

/// All nodes but this one, by all their addresses.
fn peers(node: u8, setup: &Setup) -> Peers {
    if !setup.unicast {
        return Peers::Multicast;
    }
    let others = (0_u8..).zip(&setup.priorities).map(|(other, _)| other);
    let primaries = others
        .filter(|&other| other != node)
        .map(|other| primary(other, setup.dual));
    let addresses = primaries.flat_map(|own| {
        let (v4, v6) = (own.v4().map(IpAddr::V4), own.v6().map(IpAddr::V6));
        v4.into_iter().chain(v6)
    });
    Peers::Unicast(addresses.collect())
}

/// With both families, the order of the IPv6 addresses is the opposite of that of the IPv4 ones.
fn primary(node: u8, dual: bool) -> Primary {
    let v4 = Ipv4Addr::new(10, 77, 0, node + 1);
    let v6 = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xff - u16::from(node));
    if dual {
        Primary::Dual(v4, v6)
    } else {
        Primary::V4(v4)
    }
}
