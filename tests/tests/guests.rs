//! Virtual IPs of guests: redirected or bridged to them, and moved from a guest of one hypervisor to one of another.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env,
    net::{IpAddr, SocketAddr, UdpSocket},
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    address,
    agent::{self, Agent, Setup},
    cluster::Service,
    command,
    ear::Ear,
    guest::{self, Guest, Kind, MachineGuest, pulse, pulse::Pulse, service::PORT, stream},
    lab::Lab,
    node::INTERFACE,
    under_test, waiting,
};

const LIMIT: Duration = Duration::from_secs(20);
/// Octets of a stream in each direction; `HA_GUEST_STREAM_MB` says otherwise.
const STREAM_MB: usize = 100;
/// Datagrams that are counted.
const COUNTED: u64 = 10_000;
/// Answers that a guest may still be about to give when its node lets go, and that are kept from being sent then.
const MOVED: u64 = 3;
/// Probes that go unanswered until a death is noticed: three liveness intervals and the rest of a busy machine.
const NOTICED: u64 = 500;
const PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// Two hypervisors, each with a guest that has the virtual IPs.
struct Stage {
    agents: Vec<Agent>,
    guests: Vec<Guest>,
    lab: Lab,
}

impl Stage {
    fn set(kinds: [Kind; 2]) -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let mut guests = Vec::new();
        for (node, kind) in lab.nodes().iter().zip(kinds) {
            guest::prepare(node, kind).unwrap();
            let number = node.index() + 1;
            guests.push(Guest::start(&lab, node, kind, number, &vips()).unwrap());
        }
        let delivers = [guests[0].deliver(), guests[1].deliver()];
        Self::over(lab, guests, &delivers)
    }

    /// With agents that deliver so.
    fn over(lab: Lab, guests: Vec<Guest>, delivers: &[String; 2]) -> Self {
        let service = Service::new(1, 1);
        let mut stage = Self {
            agents: Vec::new(),
            guests,
            lab,
        };
        for (node, deliver, priority) in [(0, &delivers[0], 200), (1, &delivers[1], 150)] {
            let (here, other) = (stage.lab.node(node), stage.lab.node(1 - node));
            let setup = Setup {
                group: format!("deliver = {deliver}\n"),
                election: "preempt = false\n".to_owned(),
                tables: agent::peer(other, PROBE_INTERVAL),
                ..Setup::new(&service, priority)
            };
            let agent = Agent::start_as(&under_test::agent(), here, &setup).unwrap();
            stage.agents.push(agent);
            // The first to come stays Active.
            stage.until("the first is Active", |stage| {
                stage.agents[0].is_active().is_ok_and(|active| active)
            });
        }
        stage.until("the second is Backup", |stage| stage.is_served_by(0));
        stage
    }

    fn is_served_by(&self, node: usize) -> bool {
        let here = self.agents[node].is_active();
        let there = self.agents[1 - node].is_active();
        matches!((here, there), (Ok(true), Ok(false)))
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }

    /// A planned move away from this node, to the guest of this name.
    fn switch_over(&self, from: usize, to: &str) {
        let pulse = Pulse::start(self.lab.client(), vips()[0]).unwrap();
        sleep(Duration::from_millis(300));
        self.agents[from].switch_over().unwrap();
        self.until("the other is Active", |stage| stage.is_served_by(1 - from));
        sleep(Duration::from_millis(300));
        let beats = pulse.end().unwrap();
        println!("switchover: {beats:?}, {} lost", beats.lost());
        assert_eq!(beats.last.as_deref(), Some(to));
        assert!(beats.lost() <= MOVED, "{beats:?}");
    }

    fn way(&self, node: usize) -> String {
        let guest = self.agents[node].guest(self.guests[node].interface());
        guest.unwrap().way
    }

    fn exchange(&self, what: &str) {
        for vip in vips() {
            let begun = Instant::now();
            let len = stream_len();
            if let Err(error) = stream::exchange(self.lab.client(), vip, len) {
                let dir = self.lab.keep_evidence();
                panic!("{what}, {vip}: {error:#}; see {}", dir.display());
            }
            let rate = 2.0 * len as f64 / begun.elapsed().as_secs_f64() / 1e6;
            println!("{what}, {vip}: {len} octets each way, {rate:.0} MB/s");
        }
    }

    /// Every datagram is in the counters of the data path, and with the guest.
    fn count(&self, node: usize) {
        for vip in vips() {
            let service = self.guests[node].service();
            // Whom the client asks must be known before.
            pulse::burst(self.lab.client(), vip, 1).unwrap();
            let counted = self.agents[node].delivered_to_guests().unwrap();
            let arrived = service.datagrams();
            pulse::burst(self.lab.client(), vip, COUNTED).unwrap();
            let counted = self.agents[node].delivered_to_guests().unwrap() - counted;
            let arrived = service.datagrams() - arrived;
            assert_eq!((counted, arrived), (COUNTED, COUNTED), "{vip}");
        }
    }

    /// What the guest of a node that has not the virtual IPs says as one of them stays here.
    fn is_silent(&self, node: u8) {
        let ear = Ear::at(&self.lab, node).unwrap();
        let guest = &self.guests[usize::from(node)];
        let withheld = || self.agents[usize::from(node)].counted("egress_ip").unwrap();
        let before = withheld();
        let vip = vips()[0];
        guest
            .namespace()
            .run(|| {
                let socket = UdpSocket::bind((vip, 0))?;
                let client = SocketAddr::new(address::CLIENT.v4.into(), PORT);
                (0..3).try_for_each(|_| socket.send_to(b"as the virtual IP", client).map(drop))?;
                Ok(())
            })
            .unwrap();
        let IpAddr::V4(v4) = vip else { panic!("{vip}") };
        let speaks = |frame: &Vec<u8>| {
            let ip = frame.get(12..14) == Some(&[8, 0]) && frame.get(26..30) == Some(&v4.octets());
            let arp = frame.get(12..14) == Some(&[8, 6]) && frame.get(28..32) == Some(&v4.octets());
            ip || arp
        };
        let heard: Vec<_> = ear.heard().unwrap().into_iter().filter(speaks).collect();
        assert!(heard.is_empty(), "{heard:02x?}");
        let kept = withheld() - before
            + self.agents[usize::from(node)]
                .counted("egress_arp")
                .unwrap();
        assert!(kept > 0, "nothing was withheld, so nothing was said");
    }
}

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

fn stream_len() -> usize {
    let asked = env::var("HA_GUEST_STREAM_MB").ok();
    asked.map_or(STREAM_MB, |megabytes| megabytes.parse().unwrap()) << 20
}

/// The whole life of virtual IPs between guests of these kinds, reached in these ways.
fn play(kinds: [Kind; 2], ways: [&str; 2]) {
    let mut stage = Stage::set(kinds);
    assert_eq!([0, 1].map(|node| stage.way(node)), ways);
    let [first, second] = ["guest1", "guest2"];
    stage.count(0);
    stage.exchange("offloads on");
    for guest in &mut stage.guests {
        guest.set_offloads(false).unwrap();
    }
    stage.exchange("offloads off");
    stage.is_silent(1);

    stage.switch_over(0, second);
    stage.count(1);
    stage.exchange("after the switchover");
    stage.is_silent(0);

    let pulse = Pulse::start(stage.lab.client(), vips()[0]).unwrap();
    sleep(Duration::from_millis(300));
    stage.lab.unplug(1).unwrap();
    stage.until("the first is Active again", |stage| {
        stage.agents[0].is_active().is_ok_and(|active| active)
    });
    sleep(Duration::from_millis(500));
    let beats = pulse.end().unwrap();
    println!("power off: {beats:?}, {} lost", beats.lost());
    assert_eq!(beats.last.as_deref(), Some(first));
    assert!(beats.lost() <= NOTICED, "{beats:?}");
    stage.exchange("after the loss of power");
}

#[test]
fn veth_and_tap() {
    play([Kind::Veth, Kind::Tap], ["redirected", "redirected"]);
}

#[test]
fn macvtap_and_a_veth_that_does_not_poll() {
    play([Kind::Macvtap, Kind::IdleVeth], ["bridged", "bridged"]);
}

/// What can be redirected to changes with the guest, and with its interface.
#[test]
fn ways_are_followed() {
    let stage = Stage::set([Kind::IdleVeth, Kind::Veth]);
    assert_eq!(stage.way(0), "bridged");
    stage.count(0);
    assert_eq!(stage.agents[0].counted("delivered_guest").unwrap(), 0);
    stage.guests[0].set_polling(true).unwrap();
    stage.until("it is redirected to", |stage| stage.way(0) == "redirected");
    stage.count(0);
    assert!(stage.agents[0].counted("delivered_guest").unwrap() >= 2 * COUNTED);
    stage.guests[0].set_polling(false).unwrap();
    stage.until("it is bridged to", |stage| stage.way(0) == "bridged");
    stage.count(0);

    let host = stage.lab.node(0).namespace().name();
    let interface = stage.guests[0].interface();
    command::ip_batch(host, &format!("link set dev {interface} down\n")).unwrap();
    stage.until("the other hypervisor serves", |stage| stage.is_served_by(1));
    assert_eq!(stage.way(0), "none");
    stage.count(1);
    command::ip_batch(host, &format!("link set dev {interface} up\n")).unwrap();
    stage.until("it is reached again", |stage| stage.way(0) == "bridged");
    stage.agents[1].switch_over().unwrap();
    stage.count(0);
}

/// A guest that does not read loses what its interface cannot hold: each frame of it is counted.
#[test]
fn what_a_paused_guest_loses_is_counted() {
    let stage = Stage::set([Kind::Tap, Kind::Veth]);
    let (client, vip) = (stage.lab.client(), vips()[0]);
    pulse::burst(client, vip, 1).unwrap();
    let before = stage.agents[0].delivered_to_guests().unwrap();
    let arrived = stage.guests[0].service().datagrams();
    stage.guests[0].pause(true).unwrap();
    let socket = pulse::burst(client, vip, 2 * COUNTED).unwrap();
    let lost = stage.agents[0].counted("guest_lost").unwrap();
    let said = stage.agents[0].guest(stage.guests[0].interface()).unwrap();
    assert!(lost > COUNTED / 2, "{lost}");
    assert_eq!(said.lost, Some(lost));
    stage.guests[0].pause(false).unwrap();
    sleep(Duration::from_secs(1));
    let arrived = stage.guests[0].service().datagrams() - arrived;
    let counted = stage.agents[0].delivered_to_guests().unwrap() - before;
    println!("{arrived} arrived, {lost} lost");
    drop(socket);
    assert_eq!(counted, arrived, "{lost} lost");
    assert_eq!(counted + lost, 2 * COUNTED);
}

/// An interface that goes with its machine and comes back with it is another one of the same name.
#[test]
fn a_guest_that_comes_back_is_reached_again() {
    let mut stage = Stage::set([Kind::Tap, Kind::Veth]);
    let before = stage.guests.remove(0);
    let interface = before.interface().to_owned();
    drop(before);
    stage.until("the other hypervisor serves", |stage| stage.is_served_by(1));
    let way = stage.agents[0].guest(&interface).unwrap();
    assert_eq!(way.way, "none", "{}", way.note);
    let node = stage.lab.node(0);
    let guest = Guest::start(&stage.lab, node, Kind::Tap, 1, &vips()).unwrap();
    stage.guests.insert(0, guest);
    stage.until("it is reached again", |stage| stage.way(0) == "redirected");
    stage.agents[1].switch_over().unwrap();
    stage.until("its hypervisor serves", |stage| stage.is_served_by(0));
    stage.count(0);
}

/// A real machine with a kernel of its own, behind a tap that it opened itself.
#[test]
fn virtual_machine() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    for node in lab.nodes() {
        guest::prepare(node, Kind::Tap).unwrap();
    }
    let mut machine = MachineGuest::boot(lab.node(0), 1, &vips()).unwrap();
    let guest = Guest::start(&lab, lab.node(1), Kind::Veth, 2, &vips()).unwrap();
    let delivers = [machine.deliver(), guest.deliver()];
    let stage = Stage::over(lab, vec![guest], &delivers);
    let way = stage.agents[0].guest(machine.interface()).unwrap();
    assert_eq!(way.way, "redirected", "{}", way.note);
    stage.exchange("machine, offloads on");
    machine.set_offloads(false).unwrap();
    stage.exchange("machine, offloads off");
    machine.set_offloads(true).unwrap();
    assert!(stage.agents[0].counted("delivered_guest").unwrap() > 0);

    stage.switch_over(0, "guest2");
    stage.exchange("after the switchover from the machine");
    stage.switch_over(1, "guest1");
    stage.exchange("after the switchover to the machine");

    let pulse = Pulse::start(stage.lab.client(), vips()[0]).unwrap();
    sleep(Duration::from_millis(300));
    machine.power_off().unwrap();
    stage.until("the other guest serves", |stage| stage.is_served_by(1));
    sleep(Duration::from_millis(300));
    let beats = pulse.end().unwrap();
    println!(
        "the machine's power is cut: {beats:?}, {} lost",
        beats.lost()
    );
    assert_eq!(beats.last.as_deref(), Some("guest2"));
    assert!(beats.lost() <= NOTICED, "{beats:?}");
    stage.exchange("without the machine");
}

/// Three guests behind one NIC: two that share a group, each with a virtual IP of its own, and one that is routed to.
#[test]
fn virtual_ips_of_one_group_lie_in_different_guests() {
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0);
    let vip = |index| IpAddr::from(address::vip4(index));
    let kinds = [
        (Kind::Routed, "routed"),
        (Kind::Veth, "redirected"),
        (Kind::Tap, "redirected"),
    ];
    guest::prepare(node, Kind::Routed).unwrap();
    let guests: Vec<_> = (0..)
        .zip(kinds)
        .map(|(index, (kind, _))| {
            Guest::start(&lab, node, kind, index + 1, &[vip(index.into())]).unwrap()
        })
        .collect();
    let [routed, first, second] = &guests[..] else {
        panic!("{guests:?}");
    };
    let service = Service::new(1, 0);
    let setup = Setup {
        group: format!("deliver = {}\n", routed.deliver()),
        tables: format!(
            "[[group]]\nname = \"shared\"\ninterface = \"eth0\"\ndeliver = {}\nvips = [\n  \"{}\",\n  \
             {{ address = \"{}\", deliver = {} }},\n]\n\
             [group.election]\ntype = \"vrrp\"\nvrid = 52\nadvert_interval = \"100ms\"\n",
            first.deliver(),
            vip(1),
            vip(2),
            second.deliver()
        ),
        ..Setup::new(&service, 100)
    };
    let agent = Agent::start_as(&under_test::agent(), node, &setup).unwrap();
    let begun = Instant::now();
    let is_active = |group| agent.is_active_for(group).is_ok_and(|active| active);
    while !["lab", "shared"].into_iter().all(is_active) {
        assert!(begun.elapsed() < LIMIT, "not Active for both");
        sleep(Duration::from_millis(10));
    }
    for (index, (guest, (_, way))) in (0..).zip(guests.iter().zip(kinds)) {
        let found = agent.guest(guest.interface()).unwrap();
        assert_eq!(found.way, way, "{}: {}", found.interface, found.note);
        // Neighbours are known then.
        pulse::burst(lab.client(), vip(index), 1).unwrap();
        let before: Vec<_> = guests.iter().map(|g| g.service().datagrams()).collect();
        let counted = agent.delivered_to_guests().unwrap();
        pulse::burst(lab.client(), vip(index), COUNTED).unwrap();
        assert_eq!(agent.delivered_to_guests().unwrap() - counted, COUNTED);
        for (other, (guest, before)) in guests.iter().zip(before).enumerate() {
            let expected = if other == index as usize { COUNTED } else { 0 };
            assert_eq!(guest.service().datagrams() - before, expected, "{way}");
        }
        let (pulse, name) = (Pulse::start(lab.client(), vip(index)).unwrap(), index + 1);
        sleep(Duration::from_millis(200));
        let beats = pulse.end().unwrap();
        assert_eq!(beats.lost(), 0, "{beats:?}");
        assert_eq!(beats.last, Some(format!("guest{name}")));
    }
}

/// The kernel knows the NIC by another index then.
#[test]
fn a_nic_that_is_exchanged_leads_to_its_guests_again() {
    let mut stage = Stage::set([Kind::Veth, Kind::Veth]);
    let index = |stage: &Stage| stage.agents[0].index_of(INTERFACE);
    let before = index(&stage).unwrap();
    stage.lab.take_out(0).unwrap();
    stage.until("the second is Active", |stage| stage.is_served_by(1));
    // It is not to see the NIC before that is a port of the bridge.
    stage.agents[0].daemon().freeze().unwrap();
    let _port = stage.lab.put_in(0).unwrap();
    guest::enslave(stage.lab.node(0)).unwrap();
    stage.agents[0].daemon().thaw().unwrap();
    stage.until("the NIC is there again", |stage| {
        index(stage).is_ok_and(|index| index.is_some() && index != before)
    });
    stage.switch_over(1, "guest1");
    stage.count(0);
}
