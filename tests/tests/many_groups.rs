//! 512 groups over four interfaces in one agent: none changes its owner without a reason, and all do with one.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write, net::Ipv4Addr, process::Command, thread::sleep, time::Duration};

use ha_agent::dataplane::{Maps, PinDir};
use ha_common::fence::{Standing, standing};
use ha_lab::{
    agent::{Agent, Setup},
    cluster::Service,
    lab::Lab,
    node::INTERFACE,
    under_test, waiting,
};

const GROUPS: usize = 512;
const INTERFACES: usize = 4;
const PRIORITIES: [u8; 2] = [200, 150];
const LIMIT: Duration = Duration::from_secs(20);
/// For how long nothing may change.
const CALM: Duration = Duration::from_secs(10);

fn interface(number: usize) -> String {
    match number {
        0 => INTERFACE.to_owned(),
        _ => format!("more{number}"),
    }
}

/// More interfaces, each of which goes to the other node.
fn connect(lab: &Lab) {
    let ip = |arguments: &str| {
        let status = Command::new("ip").args(arguments.split(' ')).status();
        assert!(status.unwrap().success(), "ip {arguments}");
    };
    let [a, b] = [0, 1].map(|node| lab.node(node).namespace().name().to_owned());
    for number in 1..INTERFACES {
        let name = interface(number);
        ip(&format!(
            "-n {a} link add {name} type veth peer name {name} netns {b}"
        ));
        for (host, namespace) in [(1, &a), (2, &b)] {
            ip(&format!(
                "-n {namespace} addr add 10.78.{number}.{host}/24 dev {name}"
            ));
            ip(&format!("-n {namespace} link set {name} up"));
        }
    }
}

/// All groups but the service's own: as many on each interface.
fn tables(service: &Service, priority: u8) -> String {
    let mut tables = String::new();
    for number in 1..INTERFACES {
        let _ = writeln!(tables, "[[interface]]\nname = \"{}\"", interface(number));
    }
    let each = GROUPS / INTERFACES;
    for number in 0..INTERFACES {
        for place in 1..=each {
            // The service has one on the first interface.
            let vrid = if place == usize::from(service.vrid) {
                250
            } else {
                place
            };
            if number == 0 && place == each {
                continue;
            }
            let octets = [10, 79 + number as u8, 0, place as u8];
            let _ = write!(
                tables,
                "[[group]]\nname = \"g{number}-{place}\"\ninterface = \"{}\"\nvips = [\"{}\"]\n\
                 [group.election]\ntype = \"vrrp\"\nvrid = {vrid}\npriority = {priority}\n",
                interface(number),
                Ipv4Addr::from(octets)
            );
        }
    }
    tables
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let took = waiting::until(LIMIT, what, is_so);
    println!("{what}: within {took:?}");
}

#[test]
fn all_groups_stay_until_their_node_dies_and_then_all_go() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    connect(&lab);
    let service = Service::new(1, 0);
    let mut agents = [0, 1].map(|node| {
        let priority = PRIORITIES[usize::from(node)];
        let setup = Setup {
            tables: tables(&service, priority),
            ..Setup::new(&service, priority)
        };
        Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
    });
    let active = |agent: &Agent| agent.epochs_by_role().map_or(0, |(active, _)| active);
    until("node a has all groups", || {
        active(&agents[0]) == GROUPS && active(&agents[1]) == 0
    });
    let epochs = |agents: &[Agent; 2]| agents.each_ref().map(|a| a.epochs_by_role().unwrap().1);
    let before = epochs(&agents);
    sleep(CALM);
    assert_eq!(before, epochs(&agents), "groups changed their owner");

    agents[0].daemon().kill().unwrap();
    until("node b has all groups", || active(&agents[1]) == GROUPS);
    // The dead agent's words still say Active; its kernel has fenced them all.
    let maps = Maps::open(&PinDir::new(lab.node(0).pins())).unwrap();
    let lease = maps.node.read().unwrap().lease;
    for slot in 0..GROUPS as u32 {
        let group = maps.groups.group(slot);
        let now = standing(group.word, group.demoted, lease);
        assert!(matches!(now, Standing::Fenced(_)), "group {slot}: {now:?}");
    }
}
