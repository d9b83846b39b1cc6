//! The first of two interfaces of the Active node loses its link: the group is served on the second one of the same
//! node, and goes back when there is a link again.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::IpAddr, os::fd::OwnedFd, thread::sleep, time::Duration};

use ha_lab::{
    address,
    agent::{Agent, GROUP, Setup, Standing},
    cluster::{AnsweringMac, Service},
    command,
    echo::Echo,
    lab::{Lab, Loss},
    node::{INTERFACE, SECOND},
    probe::Prober,
    report::{Report, Window},
    second, under_test, waiting,
};

const PROBES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);
/// Netlink tells of the link at once; the rest is for the machine.
const LONGEST_OUTAGE_MS: f64 = 20.0;

/// No host has them.
const NOBODY: [&str; 2] = ["10.77.0.250", "fd77::250"];

struct Pair {
    agents: Vec<Agent>,
    _echoes: Vec<Echo>,
    _second: OwnedFd,
    // Last: the agents are stopped before it goes.
    lab: Lab,
}

impl Pair {
    /// Two nodes, of which the first has two interfaces and is Active.
    fn start(mac: AnsweringMac, local: &str) -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let handle = lab.add_second(0).unwrap();
        let service = Service {
            mac,
            ..Service::new(1, 1)
        };
        let echoes = lab.nodes().iter();
        let echoes = echoes.map(|node| Echo::start(node, &service.vips).unwrap());
        let echoes = echoes.collect();
        let program = under_test::agent();
        let start = |node: u8, priority| {
            let setup = Setup {
                tables: second::tables(&lab, node, PROBES, local),
                ..Setup::new(&service, priority)
            };
            Agent::start_as(&program, lab.node(node), &setup).unwrap()
        };
        let agents = vec![start(0, 200), start(1, 150)];
        let pair = Self {
            agents,
            _echoes: echoes,
            _second: handle,
            lab,
        };
        pair.until(
            "a is Active, b is Backup, and they hear each other",
            |pair| {
                let ways = |agent: &Agent| agent.ways().unwrap_or_default();
                let all_up = |agent| ways(agent).iter().all(|way| way.state == "up");
                pair.role(0) == "active"
                    && pair.role(1) == "backup"
                    && pair.agents.iter().all(all_up)
            },
        );
        pair
    }

    fn role(&self, node: usize) -> String {
        let standing = self.agents[node].standing(GROUP).ok().flatten();
        standing.map_or_else(String::new, |standing| standing.role)
    }

    fn standings(&self) -> [Standing; 2] {
        [0, 1].map(|node| self.agents[node].standing(GROUP).unwrap().unwrap())
    }

    fn place(&self) -> String {
        self.agents[0].place(GROUP).unwrap()
    }

    /// What the client saw since `from`: next to no outage, and never two owners.
    fn cost_little(&self, prober: Prober, from: Duration, fault: Option<Duration>) {
        let window = Window {
            from,
            fault,
            owner: 0,
            split: None,
        };
        let report = Report::new(&prober.finish().unwrap(), window);
        println!(
            "{} ms, {} lost, {} dual",
            report.outage_ms, report.probes_lost, report.dual_answers
        );
        assert_eq!(report.dual_answers, 0, "{report:?}");
        if report.outage_ms > LONGEST_OUTAGE_MS {
            let kept = self.lab.keep_evidence();
            panic!("{report:?} {}", kept.display());
        }
    }

    /// Has the first node's kernel wait for the MACs of hosts on the first interface, and not ask again by itself.
    fn leave_unresolved(&self) {
        let batch =
            NOBODY.map(|host| format!("neigh replace {host} dev {INTERFACE} nud incomplete\n"));
        command::ip_batch(self.lab.node(0).namespace().name(), &batch.concat()).unwrap();
        assert_ne!(self.unresolved(), "");
    }

    fn unresolved(&self) -> String {
        let list = |host| {
            let mut ip = self.lab.node(0).namespace().command("ip").unwrap();
            command::run(ip.args(["neigh", "show", host, "dev", INTERFACE, "nud", "incomplete"]))
                .unwrap()
        };
        NOBODY.map(list).concat()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }
}

fn targets() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

fn plays(mac: AnsweringMac) {
    let pair = Pair::start(mac, "return_delay = \"1s\"");
    let before = pair.standings();
    assert_eq!(pair.place(), INTERFACE);
    let prober = Prober::start(&pair.lab, &targets()).unwrap();
    sleep(Duration::from_millis(500));
    let from = prober.clock().now();
    sleep(Duration::from_millis(500));
    let fault = prober.clock().now();
    pair.lab.unplug(0).unwrap();
    pair.until("it is served on the second", |pair| pair.place() == SECOND);
    sleep(Duration::from_secs(1));
    assert_eq!(pair.standings(), before, "nothing changes hands");
    pair.leave_unresolved();
    pair.lab.plug_in(0).unwrap();
    pair.until("it is back on the first", |pair| pair.place() == INTERFACE);
    assert_eq!(pair.unresolved(), "", "whoever was asked for in vain");
    sleep(Duration::from_secs(1));
    assert_eq!(pair.standings(), before, "nothing changes hands");
    pair.cost_little(prober, from, Some(fault));
}

#[test]
fn a_lost_link_costs_little_and_no_change_of_node() {
    plays(AnsweringMac::Virtual);
}

#[test]
fn so_it_is_with_the_interface_s_mac() {
    plays(AnsweringMac::Interface);
}

#[test]
fn what_does_not_return_stays_and_without_any_link_the_other_node_takes_over() {
    let pair = Pair::start(AnsweringMac::Virtual, "return = \"never\"");
    pair.lab.unplug(0).unwrap();
    pair.until("it is served on the second", |pair| pair.place() == SECOND);
    pair.lab.plug_in(0).unwrap();
    sleep(Duration::from_secs(1));
    assert_eq!(
        (pair.place(), pair.role(0)),
        (SECOND.to_owned(), "active".to_owned())
    );
    pair.lab.unplug(0).unwrap();
    pair.lab.unplug_second(0).unwrap();
    pair.until("b has it", |pair| {
        pair.role(1) == "active" && pair.role(0) == "backup"
    });
    pair.lab.plug_in(0).unwrap();
    pair.until("a has it on the first", |pair| {
        pair.role(0) == "active" && pair.role(1) == "backup" && pair.place() == INTERFACE
    });
}

/// The client is asked over both interfaces, in both families.
fn pinging() -> String {
    format!(
        "return_delay = \"500ms\"\nping = [\"{}\", \"{}\"]\nping_interval = \"100ms\"\nping_fall = 3",
        address::CLIENT.v4,
        address::CLIENT.v6
    )
}

/// Longer than it takes to find the targets silent, and to go back.
const RESPITE: Duration = Duration::from_secs(1);

#[test]
fn an_interface_that_alone_reaches_no_ping_target_is_left_for_another_one() {
    let pair = Pair::start(AnsweringMac::Virtual, &pinging());
    let both =
        |of: &'static str| move |pair: &Pair| pair.agents[0].targets(GROUP).unwrap() == [of, of];
    pair.until("the client answers over both", both("answer"));
    let before = pair.standings();
    let ports = [
        pair.lab.node(0).name().to_owned(),
        pair.lab.node(0).second_port(),
    ];
    let prober = Prober::start(&pair.lab, &targets()).unwrap();
    sleep(Duration::from_millis(500));
    let from = prober.clock().now();

    pair.lab.lose_to_client(&ports[0], Loss::Pings4).unwrap();
    sleep(RESPITE);
    assert_eq!(pair.place(), INTERFACE, "one target is enough");
    pair.lab.lose_to_client(&ports[0], Loss::Pings).unwrap();
    pair.until("it is served on the second", |pair| pair.place() == SECOND);
    let why = pair.agents[0].stands_in(GROUP).unwrap();
    assert_eq!(
        why.as_deref(),
        Some("eth0 reaches none of its ping targets")
    );
    pair.lab.lose_to_client(&ports[1], Loss::Pings).unwrap();
    pair.until("the client is silent over both", both("silent"));
    sleep(RESPITE);
    assert_eq!(pair.place(), SECOND, "the first is no better");
    pair.lab.lose_nothing().unwrap();
    pair.until("it is back on the first", |pair| pair.place() == INTERFACE);

    assert_eq!(pair.standings(), before, "nothing changes hands");
    sleep(Duration::from_millis(500));
    pair.cost_little(prober, from, None);
}

#[test]
fn a_ping_target_that_is_down_itself_moves_nothing_and_a_lost_link_still_does() {
    let pair = Pair::start(AnsweringMac::Virtual, &pinging());
    let both =
        |of: &'static str| move |pair: &Pair| pair.agents[0].targets(GROUP).unwrap() == [of, of];
    pair.until("the client answers over both", both("answer"));
    let before = pair.standings();
    pair.lab.hush_client(true).unwrap();
    pair.until("the client is silent over both", both("silent"));
    sleep(RESPITE);
    assert_eq!(
        (pair.place(), pair.standings()),
        (INTERFACE.to_owned(), before.clone())
    );
    pair.lab.unplug(0).unwrap();
    pair.until("it is served on the second", |pair| pair.place() == SECOND);
    pair.lab.plug_in(0).unwrap();
    pair.until("it is back on the first", |pair| pair.place() == INTERFACE);
    assert_eq!(pair.standings(), before, "nothing changes hands");
}

#[test]
fn without_targets_the_link_alone_decides_again() {
    let pair = Pair::start(AnsweringMac::Virtual, &pinging());
    pair.until("the client answers over both", |pair| {
        pair.agents[0].targets(GROUP).unwrap() == ["answer"; 2]
    });
    let before = pair.standings();
    let port = pair.lab.node(0).name();
    pair.lab.lose_to_client(port, Loss::Pings).unwrap();
    pair.until("it is served on the second", |pair| pair.place() == SECOND);
    let file = pair.agents[0].file().unwrap();
    let is_kept = |line: &&str| !line.starts_with("ping");
    let lines: Vec<_> = file.lines().filter(is_kept).collect();
    pair.agents[0].rewrite(&lines.join("\n")).unwrap();
    let plan = pair.agents[0].reload().unwrap();
    assert!(
        plan.contains("~ group lab: changed in place: local.ping"),
        "{plan}"
    );
    pair.until("it is back on the first", |pair| pair.place() == INTERFACE);
    assert_eq!(pair.standings(), before, "nothing changes hands");
}

#[test]
fn nothing_is_left_in_the_filters_of_both_interfaces() {
    let mut pair = Pair::start(AnsweringMac::Virtual, "return = \"never\"");
    let node = pair.lab.node(0);
    let filters = || {
        let mut bridge = node.namespace().command("bridge").unwrap();
        let printed = command::run(bridge.args(["fdb", "show"])).unwrap();
        let ours = |line: &&str| {
            line.starts_with("00:00:5e:00:0") || line.starts_with("33:33:ff:01:00:01")
        };
        let lines = printed.lines().filter(ours);
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let on = |interface: &str| {
        let filters = filters();
        let dev = format!("dev {interface} ");
        filters.iter().filter(|line| line.contains(&dev)).count()
    };
    // Both virtual MACs, and the group of solicitations.
    assert_eq!((on(INTERFACE), on(SECOND)), (3, 3), "{:?}", filters());
    pair.agents[0].daemon().stop(LIMIT).unwrap();
    assert_eq!((on(INTERFACE), on(SECOND)), (3, 3), "{:?}", filters());
    let mut detach = node.namespace().command(under_test::agent()).unwrap();
    detach.arg("--pin-dir").arg(node.pins());
    command::run(detach.args(["detach", "--all"])).unwrap();
    assert_eq!(filters(), [""; 0]);
}
