//! Planned moves where something is in their way: nobody to take over, an agent that is killed.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    address,
    agent::{self, Agent, Setup},
    bench::packet::Injector,
    cluster::{AnsweringMac, Service},
    ear::Ear,
    lab::Lab,
    under_test, waiting,
};
use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{
        EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv4Repr,
        UdpPacket, UdpRepr,
    },
};

/// Time between probes: a loss is found out soon, and a busy machine is none.
const PROBES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);

struct Pair {
    agents: Vec<Agent>,
    service: Service,
    // Last: the agents are stopped before it goes.
    lab: Lab,
}

impl Pair {
    /// Two nodes of which the first is Active, and both know that the other lives.
    fn start() -> Self {
        Self::start_with(Service::new(1, 1))
    }

    fn start_with(service: Service) -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let mut pair = Self {
            agents: Vec::new(),
            service,
            lab,
        };
        for node in [0, 1] {
            let agent = pair.start_agent(node);
            pair.agents.push(agent);
        }
        pair.until("a is Active and b is not", |pair| {
            pair.is_active(0) && !pair.is_active(1) && pair.all_up(0) && pair.all_up(1)
        });
        pair
    }

    fn start_agent(&self, node: u8) -> Agent {
        let setup = Setup {
            tables: agent::peer(self.lab.node(1 - node), PROBES),
            ..Setup::new(&self.service, [200, 150][usize::from(node)])
        };
        Agent::start_as(&under_test::agent(), self.lab.node(node), &setup).unwrap()
    }

    /// Kills the agent of a node and starts it again.
    fn restart(&mut self, node: u8) {
        let place = usize::from(node);
        self.agents[place].daemon().kill().unwrap();
        self.agents[place] = self.start_agent(node);
        self.until("it answers", |pair| pair.agents[place].is_active().is_ok());
    }

    fn is_active(&self, node: usize) -> bool {
        self.agents[node].is_active().unwrap_or(false)
    }

    fn all_up(&self, node: usize) -> bool {
        let ways = self.agents[node].ways().unwrap_or_default();
        !ways.is_empty() && ways.iter().all(|way| way.state == "up")
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }
}

#[test]
fn who_has_nobody_to_hand_over_to_says_so_and_serves_on() {
    let mut pair = Pair::start();
    pair.agents[1].daemon().kill().unwrap();
    pair.until("b is lost or without a lease", |pair| {
        let ways = pair.agents[0].ways().unwrap();
        ways.iter().all(|way| way.state != "up")
    });
    let error = pair.agents[0].switch_over().unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("no peer answers liveness probes"), "{text}");
    assert!(pair.is_active(0));

    // Drained it serves, too, as nobody else does; until somebody can.
    assert!(pair.agents[0].drain().is_err());
    assert!(pair.is_active(0));
    pair.agents[1] = pair.start_agent(1);
    pair.until("b relieves a", |pair| {
        pair.is_active(1) && !pair.is_active(0)
    });
}

#[test]
fn what_an_operator_wants_outlives_the_agent() {
    let mut pair = Pair::start();
    pair.agents[0].drain().unwrap();
    pair.until("b has it", |pair| pair.is_active(1) && !pair.is_active(0));
    pair.restart(0);
    // Its priority would let it preempt at its first timer.
    sleep(Duration::from_secs(1));
    assert_eq!(pair.agents[0].priority().unwrap(), Some(1));
    assert!(pair.is_active(1) && !pair.is_active(0));

    // Drained is last, not never.
    pair.agents[1].daemon().kill().unwrap();
    pair.until("a serves", |pair| pair.is_active(0));
    pair.agents[1] = pair.start_agent(1);
    pair.until("b relieves a", |pair| {
        pair.is_active(1) && !pair.is_active(0)
    });

    pair.agents[0].undrain().unwrap();
    pair.until("a preempts", |pair| pair.is_active(0) && !pair.is_active(1));
}

#[test]
fn a_node_in_maintenance_serves_nothing() {
    let mut pair = Pair::start();
    pair.agents[0].set_maintenance(true).unwrap();
    pair.until("b has it", |pair| pair.is_active(1) && !pair.is_active(0));
    pair.agents[1].daemon().kill().unwrap();
    sleep(Duration::from_secs(1));
    assert!(!pair.is_active(0));
    assert!(pair.agents[0].promote().is_err());
    pair.agents[0].set_maintenance(false).unwrap();
    pair.until("a serves again", |pair| pair.is_active(0));
}

/// Where every frame of a virtual IP is sent to from the client, as the data paths counted it.
#[derive(Clone, Copy, Debug)]
struct Counts {
    delivered: u64,
    handed_on: u64,
    lost: u64,
    overflows: u64,
}

impl Pair {
    fn counts(&self) -> Counts {
        let of = |reason: &str| -> u64 {
            let agents = self.agents.iter();
            agents.map(|agent| agent.counted(reason).unwrap()).sum()
        };
        Counts {
            delivered: of("delivered_local"),
            handed_on: of("new_work_forwarded"),
            lost: [
                "no_peer",
                "fenced",
                "split_horizon",
                "peer_unset",
                "ttl_expired",
            ]
            .map(of)
            .iter()
            .sum(),
            overflows: [0, 1]
                .map(|node| self.lab.overflows(node).unwrap())
                .iter()
                .sum(),
        }
    }
}

/// A datagram of the client to the first virtual IP and a port on which nobody listens.
fn datagram() -> Vec<u8> {
    const PAYLOAD: usize = 18;
    let udp = UdpRepr {
        src_port: 40_000,
        dst_port: 9,
    };
    let ip = Ipv4Repr {
        src_addr: address::CLIENT.v4,
        dst_addr: address::vip4(0),
        next_header: IpProtocol::Udp,
        payload_len: udp.header_len() + PAYLOAD,
        hop_limit: 64,
    };
    let mut frame = vec![0; 14 + ip.buffer_len() + ip.payload_len];
    let mut ethernet = EthernetFrame::new_unchecked(&mut frame[..]);
    ethernet.set_dst_addr(EthernetAddress([0, 0, 0x5e, 0, 1, 51]));
    ethernet.set_src_addr(EthernetAddress(address::CLIENT.mac));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let mut packet = Ipv4Packet::new_unchecked(ethernet.payload_mut());
    ip.emit(&mut packet, &ChecksumCapabilities::default());
    udp.emit(
        &mut UdpPacket::new_unchecked(packet.payload_mut()),
        &ip.src_addr.into(),
        &ip.dst_addr.into(),
        PAYLOAD,
        |payload| payload.fill(0xee),
        &ChecksumCapabilities::default(),
    );
    frame
}

/// Live frames at the rate that the machine has. None is lost, none arrives twice; where a virtual cable was full the
/// kernel says so.
#[test]
fn at_the_highest_load_each_frame_arrives_once() {
    /// In one call, which takes a grace period of RCU beside. The kernel itself makes rounds of 64 of them.
    const BATCH: u32 = 16_384;
    let pair = Pair::start();
    for owner in [0, 1] {
        let heir = 1 - owner;
        let before = pair.counts();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let port = pair.lab.switch().ifindex("client").unwrap();
        let load = move || {
            let injector = Injector::new()?;
            let frame = datagram();
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                injector.inject(&frame, port, BATCH)?;
                sent += u64::from(BATCH);
            }
            Ok(sent)
        };
        let begun = Instant::now();
        let load = pair.lab.switch().spawn("load", load).unwrap();
        sleep(Duration::from_millis(500));
        pair.agents[owner].switch_over().unwrap();
        sleep(Duration::from_millis(500));
        is_over.store(true, Ordering::Relaxed);
        let sent = load.join().unwrap().unwrap();
        let took = begun.elapsed();
        assert!(pair.is_active(heir) && !pair.is_active(owner));
        pair.until("nothing is under way", |pair| {
            let first = pair.counts().delivered;
            sleep(Duration::from_millis(100));
            pair.counts().delivered == first
        });
        let after = pair.counts();
        let delivered = after.delivered - before.delivered;
        let overflows = after.overflows - before.overflows;
        let rate = sent as f64 / took.as_secs_f64();
        println!(
            "{sent} frames, {rate:.0} a second; {delivered} delivered, of which {} were handed on; {overflows} did not \
             fit a cable",
            after.handed_on - before.handed_on,
        );
        assert!(delivered <= sent, "none arrives twice");
        // What else was on its way, the nodes' probes for example, did not fit either.
        assert!(delivered + overflows >= sent, "none is lost");
        assert!(after.handed_on > before.handed_on, "it settled");
        assert_eq!(after.lost, before.lost);
        assert!(overflows * 20 < sent, "the cables are no bottleneck");
        assert!(rate > 50_000.0, "that is no load");
    }
}

/// A client that has not heard of the move is served, counted where it sends to, and told by the new owner alone.
#[test]
fn who_goes_on_using_the_old_node_is_counted_and_told() {
    const FRAMES: u64 = 40;
    let pair = Pair::start_with(Service {
        mac: AnsweringMac::Interface,
        ..Service::new(1, 0)
    });
    let vips = &pair.service.vips;
    pair.lab.deafen_client(0, vips).unwrap();
    pair.agents[0].switch_over().unwrap();
    assert!(pair.agents[0].stale_senders().unwrap().is_empty());

    let ear = Ear::at(&pair.lab, 1).unwrap();
    let service = SocketAddr::new(vips[0], 9);
    let send = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        for _ in 0..FRAMES {
            // That nobody listens is told by an error of the next call.
            let _ = socket.send_to(b"here?", service);
            sleep(Duration::from_millis(60));
        }
        Ok(())
    };
    pair.lab.client().run(send).unwrap();
    let frames = ear.heard().unwrap();
    // ARP (RFC 826) to the client alone, whose sender is the virtual IP.
    let is_telling = |frame: &Vec<u8>| {
        frame[..6] == address::CLIENT.mac
            && frame[12..14] == [0x08, 0x06]
            && frame[20..22] == [0, 2]
            && frame[28..32] == address::vip4(0).octets()
            && frame[38..42] == address::vip4(0).octets()
    };
    assert!(frames.iter().any(is_telling), "the client was not told");

    let senders = pair.agents[0].stale_senders().unwrap();
    let [sender] = &senders[..] else {
        panic!("the client alone: {senders:?}");
    };
    assert_eq!(sender.address, address::CLIENT.v4);
    assert_eq!(sender.mac, "02:77:00:00:01:00");
    assert!((1..=FRAMES).contains(&sender.packets), "{sender:?}");
    assert_eq!(
        sender.packets,
        pair.agents[0].counted("forwarded_peer").unwrap()
    );
    assert!(sender.seconds_ago < 5.0, "{sender:?}");
    assert!(pair.agents[1].stale_senders().unwrap().is_empty());
}

/// Whoever is killed in the middle of a switchover, one owner is left.
#[test]
fn a_killed_agent_leaves_one_owner() {
    let mut pair = Pair::start();
    for (victim, after) in [(0_u8, 0), (1, 0), (0, 2), (1, 2), (1, 20)] {
        let owner = usize::from(!pair.is_active(0));
        pair.agents[owner].begin_switch_over().unwrap();
        sleep(Duration::from_millis(after));
        pair.agents[usize::from(victim)].daemon().kill().unwrap();
        let other = usize::from(1 - victim);
        pair.until("the other one serves", |pair| pair.is_active(other));
        pair.agents[usize::from(victim)] = pair.start_agent(victim);
        pair.until("one of them serves, and both know", |pair| {
            pair.all_up(0) && pair.all_up(1) && pair.is_active(0) != pair.is_active(1)
        });
    }
}
