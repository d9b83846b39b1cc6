//! Two systems on a network that loses, delays and reorders.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use fastrand::Rng;
use ha_core::{
    bfd::{Command, Config, Input, Key, Packet, Session, State, Why},
    time::Time,
};

use crate::bench::{MS, SECOND, config};

const SEEDS: std::ops::Range<u64> = 0..50;

/// What a network does to packets.
#[derive(Clone, Copy)]
struct Network {
    /// Of a hundred.
    lost: u8,
    /// The longest.
    delay: Duration,
    /// Whether one packet may overtake another.
    reorders: bool,
}

/// Nothing is lost, and nothing overtakes.
const FAITHFUL: Network = Network {
    lost: 0,
    delay: MS,
    reorders: false,
};

struct World {
    rng: Rng,
    now: Time,
    network: Network,
    sessions: [Session; 2],
    /// Octets on their way, and to whom; the number keeps them apart.
    flying: BTreeMap<(Time, u64), (usize, [u8; 24])>,
    count: u64,
    /// When the last packet to each of them arrives.
    last: [Time; 2],
    /// Nobody hears that system any more.
    silent: [bool; 2],
    /// How late each system may wake up.
    laziness: Duration,
    changes: Vec<(Time, usize, State, Why)>,
}

impl World {
    fn new(seed: u64, network: Network, configs: [Config; 2]) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut number = 0;
        let sessions = configs.map(|config| {
            number += 1 + rng.u32(..1_000_000);
            Session::new(NonZeroU32::new(number).expect("it is not zero"), config)
        });
        let mut world = Self {
            rng,
            now: Time::default(),
            network,
            sessions,
            flying: BTreeMap::new(),
            count: 0,
            last: [Time::default(); 2],
            silent: [false; 2],
            laziness: Duration::ZERO,
            changes: Vec::new(),
        };
        world.input(0, Input::Start);
        world.input(1, Input::Start);
        world
    }

    fn input(&mut self, who: usize, input: Input) {
        let random = self.rng.u32(..);
        for command in self.sessions[who].handle(self.now, random, input) {
            match command {
                Command::Changed { state, why, .. } => {
                    self.changes.push((self.now, who, state, why));
                }
                Command::Send(packet) => self.send(who, packet),
                Command::SendEcho { .. } => panic!("nobody asked for it"),
            }
        }
    }

    fn send(&mut self, from: usize, packet: Packet) {
        if self.silent[from] || self.rng.u8(..100) < self.network.lost {
            return;
        }
        let delay = self.network.delay.mul_f64(self.rng.f64());
        let mut arrival = self.now + delay;
        if !self.network.reorders {
            arrival = arrival.max(self.last[1 - from]);
            self.last[1 - from] = arrival;
        }
        self.count += 1;
        let key = (arrival, self.count);
        self.flying.insert(key, (1 - from, packet.encode()));
    }

    /// Delivers and fires until `end`. Each system wakes up as late as it likes, and reads before it looks at
    /// the clock.
    fn run(&mut self, end: Time) {
        loop {
            let arrival = self.flying.keys().next().map(|(at, _)| *at);
            let timers = self.sessions.iter().filter_map(Session::deadline);
            let next = timers
                .chain(arrival)
                .min()
                .map_or(end, |next| next.max(self.now));
            if next >= end {
                self.now = end;
                return;
            }
            self.now = next + self.laziness.mul_f64(self.rng.f64());
            while let Some(entry) = self.flying.first_entry().filter(|e| e.key().0 <= self.now) {
                let (to, octets) = entry.remove();
                self.deliver(to, &octets);
            }
            for who in 0..2 {
                if self.sessions[who]
                    .deadline()
                    .is_some_and(|due| due <= self.now)
                {
                    self.input(who, Input::Timer);
                }
            }
        }
    }

    fn deliver(&mut self, to: usize, octets: &[u8]) {
        let own = self.sessions[to].discriminator();
        let find = |key| match key {
            Key::Discriminator(number) => (number == own).then_some(()),
            Key::Source => Some(()),
        };
        match Packet::decode(octets, 255, find) {
            Ok(((), packet)) => self.input(to, Input::Packet(packet)),
            Err(discard) => panic!("{discard}"),
        }
    }

    fn states(&self) -> [State; 2] {
        [self.sessions[0].state(), self.sessions[1].state()]
    }

    fn failures(&self) -> Vec<&(Time, usize, State, Why)> {
        self.changes
            .iter()
            .filter(|(.., why)| why.is_failure())
            .collect()
    }
}

const UP: [State; 2] = [State::Up; 2];

fn every(own: Duration, mult: u8) -> Config {
    Config {
        desired_min_tx: own.into(),
        required_min_rx: own.into(),
        detect_mult: mult.try_into().expect("it is not zero"),
        ..config()
    }
}

#[test]
fn both_come_up_and_stay_whatever_their_intervals() {
    for seed in SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut any = || every(MS * rng.u32(3..200), rng.u8(2..6));
        let configs = [any(), any()];
        let mut world = World::new(seed, FAITHFUL, configs);
        world.run(Time::default() + SECOND * 4);
        assert_eq!(world.states(), UP, "seed {seed}");
        world.run(Time::default() + SECOND * 30);
        assert_eq!(world.failures(), [] as [&_; 0], "seed {seed}");
        for (own, other) in [(0, 1), (1, 0)] {
            let slower = configs[own]
                .desired_min_tx
                .max(configs[other].required_min_rx);
            let interval = world.sessions[own].transmit_interval();
            assert_eq!(interval, slower.duration(), "seed {seed}");
            let mult = u32::from(configs[other].detect_mult.get());
            let slower = configs[other]
                .desired_min_tx
                .max(configs[own].required_min_rx);
            let detection = world.sessions[own].detection_time();
            assert_eq!(detection, Some(slower.duration() * mult), "seed {seed}");
        }
    }
}

#[test]
fn one_may_be_passive_but_not_both() {
    let passive = Config {
        is_passive: true,
        ..config()
    };
    let mut world = World::new(1, FAITHFUL, [config(), passive]);
    world.run(Time::default() + SECOND * 4);
    assert_eq!(world.states(), UP);
    let mut world = World::new(1, FAITHFUL, [passive, passive]);
    world.run(Time::default() + SECOND * 60);
    assert_eq!(world.states(), [State::Down; 2]);
    assert_eq!(world.count, 0);
}

#[test]
fn both_come_up_through_loss() {
    for seed in SEEDS {
        let network = Network {
            lost: 30,
            delay: MS * 20,
            reorders: true,
        };
        let mut world = World::new(seed, network, [every(MS * 50, 20); 2]);
        world.run(Time::default() + SECOND * 60);
        assert_eq!(world.states(), UP, "seed {seed}");
        // At first a packet that was overtaken may tell of a state long left. Later it takes twenty that are
        // lost in a row.
        world
            .changes
            .retain(|(at, ..)| *at > Time::default() + SECOND * 30);
        assert_eq!(world.changes, [], "seed {seed}");
    }
}

#[test]
fn silence_is_noticed_within_the_negotiated_time_and_not_before() {
    for seed in SEEDS {
        let mut world = World::new(seed, FAITHFUL, [every(MS * 10, 3), every(MS * 30, 4)]);
        world.run(Time::default() + SECOND * 5);
        assert_eq!(world.states(), UP);
        let detection = world.sessions[0].detection_time().expect("it is Up");
        assert_eq!(detection, MS * 120);
        world.silent[1] = true;
        let silenced = world.now;
        world.run(world.now + SECOND);
        let (at, _, _, why) = **world.failures().first().expect("it was noticed");
        assert_eq!(why, Why::DetectionTimeExpired, "seed {seed}");
        let took = at.since(silenced);
        assert!(took <= detection + MS, "seed {seed}: {took:?}");
        assert!(took >= detection - MS * 31, "seed {seed}: {took:?}");
        // It is told, and the other one goes down, too, though it hears everything.
        assert_eq!(world.states()[0], State::Down);
        assert_ne!(world.states()[1], State::Up);
        assert!(
            world
                .failures()
                .iter()
                .any(|(_, who, _, why)| *who == 1 && *why == Why::PeerDown)
        );
    }
}

/// Neither loses a packet, but both are often asleep for longer than the detection time.
#[test]
fn lateness_is_not_taken_for_silence() {
    for seed in SEEDS {
        let mut world = World::new(seed, FAITHFUL, [every(MS * 10, 3); 2]);
        world.run(Time::default() + SECOND * 3);
        assert_eq!(world.states(), UP);
        // Both sleep at once, so that packets of both are waiting when they wake up.
        world.laziness = MS * 15;
        world.run(Time::default() + SECOND * 20);
        assert_eq!(world.failures(), [] as [&_; 0], "seed {seed}");
    }
}

#[test]
fn what_heals_comes_up_again() {
    for seed in SEEDS {
        let mut world = World::new(seed, FAITHFUL, [config(); 2]);
        for round in 1..4 {
            world.run(world.now + SECOND * 5);
            assert_eq!(world.states(), UP, "seed {seed}, round {round}");
            world.silent = [true, world.rng.bool()];
            world.run(world.now + SECOND);
            assert_eq!(world.states()[1], State::Down, "seed {seed}");
            world.silent = [false; 2];
        }
    }
}

#[test]
fn a_restarted_system_is_taken_up_again() {
    for seed in SEEDS {
        let mut world = World::new(seed, FAITHFUL, [config(); 2]);
        world.run(Time::default() + SECOND * 4);
        let number = NonZeroU32::new(u32::MAX).expect("it is not zero");
        world.flying.clear();
        world.sessions[1] = Session::new(number, config());
        world.input(1, Input::Start);
        // What the other one sends to the number before is nobody's now.
        let old = world.sessions[0].remote().map(|r| r.my_discriminator);
        assert_ne!(old, Some(number));
        let stale = |world: &World| {
            let remote = world.sessions[0].remote();
            remote.is_some_and(|r| r.my_discriminator != number)
        };
        while stale(&world) {
            let next = *world.flying.keys().next().expect("something flies");
            let (to, octets) = world.flying.remove(&next).expect("it is there");
            world.now = next.0;
            if to == 0 {
                world.deliver(to, &octets);
            }
        }
        world.flying.clear();
        world.run(world.now + SECOND * 5);
        assert_eq!(world.states(), UP, "seed {seed}");
    }
}
