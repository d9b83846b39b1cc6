//! Whether a second MAC gets through is found out before a group begins: it is refused with the mend, or served with the
//! interface's MAC where that is allowed.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::IpAddr,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    address,
    agent::{self, Agent, Answers, GROUP, Setup},
    cluster::Service,
    command,
    echo::Echo,
    lab::{Closed, Lab},
    node::{INTERFACE, Node},
    probe::Prober,
    report::{Report, Window},
    under_test, waiting,
};

const PROBES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);
const FALLBACK: &str = "mac_fallback = \"interface\"\n";
/// How the MACs begin with which an interface is tried.
const TRIAL: &str = "0a:48:41:";
const VIRTUAL: &str = "00:00:5e:00:";
/// No node is Active for so long after a death, and some more for the machine.
const LONGEST_OUTAGE_MS: f64 = 1_000.0;

fn start(lab: &Lab, node: u8, service: &Service, keys: &str) -> Agent {
    let setup = Setup {
        group: keys.to_owned(),
        tables: agent::peer(lab.node(1 - node), PROBES),
        ..Setup::new(service, [200, 150][usize::from(node)])
    };
    Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
}

/// Waits until an agent has ended by itself; what it said.
fn refusal(agent: &mut Agent) -> String {
    let begun = Instant::now();
    loop {
        if let Err(error) = agent.daemon().expect_running() {
            return error.to_string();
        }
        assert!(begun.elapsed() < LIMIT, "it runs");
        sleep(Duration::from_millis(10));
    }
}

/// What the filter of an interface lets through.
fn filter(node: &Node, interface: &str) -> String {
    let mut bridge: Command = node.namespace().command("bridge").unwrap();
    command::run(bridge.args(["fdb", "show", "dev", interface])).unwrap()
}

fn is_clean(node: &Node, interface: &str) {
    let filter = filter(node, interface);
    assert!(
        !filter.contains(TRIAL) && !filter.contains(VIRTUAL),
        "{filter}"
    );
}

fn answers(agent: &Agent) -> Option<Answers> {
    agent.answers(GROUP).ok()
}

fn is_active(agent: &Agent) -> bool {
    agent.is_active().unwrap_or(false)
}

#[test]
fn a_port_that_trusts_the_node_with_no_second_mac_is_refused_with_the_mend() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    let service = Service::new(1, 1);
    for (closed, seen) in [
        (Closed::From, "and not to what comes from another one"),
        (Closed::To, "and what it answers to another one"),
    ] {
        lab.close(0, closed).unwrap();
        let mut agent = start(&lab, 0, &service, "");
        let said = refusal(&mut agent);
        let peer = lab.node(1).station().v4.to_string();
        for part in [
            seen,
            GROUP,
            INTERFACE,
            &peer,
            "ip link set dev PF vf N trust on spoofchk off",
            "forged transmits",
            "mac_fallback = \"interface\"",
            "mac = \"interface\"",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        is_clean(lab.node(0), INTERFACE);
        lab.open().unwrap();
    }
    // The same file where nothing is closed.
    let agent = start(&lab, 0, &service, "");
    waiting::until(LIMIT, "a is Active", || is_active(&agent));
    let found = answers(&agent).unwrap();
    assert_eq!((found.mac.as_str(), found.note), ("virtual", None));
    assert!(!filter(lab.node(0), INTERFACE).contains(TRIAL));
}

#[test]
fn a_driver_that_takes_no_second_mac_is_refused_with_the_mend() {
    const OVER: &str = "over0";
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0);
    // Its kind of filter is the interface below; a second MAC is for passthru only (`macvlan_fdb_add`).
    command::ip_batch(
        node.namespace().name(),
        &format!(
            "link add link {INTERFACE} name {OVER} type macvlan mode bridge\n\
             addr add 192.0.2.1/24 dev {OVER}\nlink set dev {OVER} up\n"
        ),
    )
    .unwrap();
    let service = Service::new(1, 0);
    let vip: IpAddr = "192.0.2.10".parse().unwrap();
    let setup = Setup {
        tables: format!(
            "[[interface]]\nname = \"{OVER}\"\nmode = \"generic\"\n{}",
            agent::group_on(OVER, "over", 52, 100, &[vip])
        ),
        ..Setup::new(&service, 200)
    };
    let mut agent = Agent::start_as(&under_test::agent(), node, &setup).unwrap();
    let said = refusal(&mut agent);
    for part in [
        "its driver does not take virtual MACs",
        "00:00:5e:00:01:34",
        "trust on",
        "group over",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    is_clean(node, INTERFACE);
}

/// An agent that is to serve on one more interface, where it needs no second MAC and no address.
fn start_on(lab: &Lab, interface: &str) -> Agent {
    let service = Service::new(1, 0);
    let setup = Setup {
        tables: format!(
            "[[interface]]\nname = \"{interface}\"\n[[group]]\nname = \"more\"\ninterface = \"{interface}\"\n\
             mac = \"interface\"\nvips = [\"192.0.2.10\"]\nelection = {{ type = \"manual\" }}\n"
        ),
        ..Setup::new(&service, 200)
    };
    Agent::start_as(&under_test::agent(), lab.node(0), &setup).unwrap()
}

#[test]
fn an_interface_that_takes_no_program_is_refused_with_the_mend() {
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0).namespace();
    command::ip_batch(
        node.name(),
        &format!(
            "link add v0 numrxqueues 2 numtxqueues 2 type veth peer name v1 numrxqueues 2 numtxqueues 2\n\
             link set dev v1 up\nlink set dev v0 up\n\
             link add link {INTERFACE} name over0 type macvlan mode bridge\nlink set dev over0 up\n"
        ),
    )
    .unwrap();
    let queues = |count: &str| {
        let mut ethtool = node.command("ethtool").unwrap();
        command::run(ethtool.args(["-L", "v0", "rx", count])).unwrap();
    };
    let is_refused = |interface: &str, parts: &[&str]| {
        let said = refusal(&mut start_on(&lab, interface));
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    };
    is_refused("over0", &["its driver has no XDP", "mode = \"generic\""]);
    queues("1");
    is_refused(
        "v0",
        &["fewer queues than its other end", "ethtool -L v0 rx"],
    );
    queues("2");
    let agent = start_on(&lab, "v0");
    waiting::until(LIMIT, "a is Active", || is_active(&agent));
}

#[test]
fn with_a_fallback_both_nodes_serve_with_their_own_macs() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    let service = Service::new(1, 1);
    let echoes = lab.nodes().iter();
    let _echoes: Vec<_> = echoes
        .map(|node| Echo::start(node, &service.vips).unwrap())
        .collect();
    for node in [0, 1] {
        lab.close(node, Closed::Both).unwrap();
    }
    let mut agents = [0, 1].map(|node| start(&lab, node, &service, FALLBACK));
    waiting::until(LIMIT, "a is Active and b is not", || {
        is_active(&agents[0]) && agents[1].is_active().is_ok_and(|active| !active)
    });
    for (node, agent) in lab.nodes().iter().zip(&agents) {
        let found = answers(agent).unwrap();
        let note = found.note.unwrap();
        assert_eq!((found.mac.as_str(), found.mac4), ("interface", node.mac()));
        assert!(
            note.contains("eth0") && note.contains("does not arrive"),
            "{note}"
        );
        assert!(agent.noted().unwrap().contains("mac_fallback"));
        is_clean(node, INTERFACE);
    }

    let targets = [address::vip4(0).into(), address::vip6(0).into()];
    let prober = Prober::start(&lab, &targets).unwrap();
    sleep(Duration::from_millis(500));
    let from = prober.clock().now();
    sleep(Duration::from_millis(300));
    let fault = prober.clock().now();
    agents[0].daemon().kill().unwrap();
    waiting::until(LIMIT, "b is Active", || is_active(&agents[1]));
    sleep(Duration::from_millis(500));
    let tracks = prober.finish().unwrap();
    let window = Window {
        from,
        fault: Some(fault),
        owner: 0,
        split: None,
    };
    let report = Report::new(&tracks, window);
    println!("{} ms, {:?}", report.outage_ms, report.takeover_ms);
    let is_well = report.takeover_ms.is_some()
        && report.outage_ms < LONGEST_OUTAGE_MS
        && report.dual_answers == 0;
    if !is_well {
        panic!("{report:?} {}", lab.keep_evidence().display());
    }

    // Within the lease it goes on as it was, although a second MAC would get through now.
    lab.open().unwrap();
    let before = agents[1].epochs_by_role().unwrap();
    agents[1].daemon().hand_over(LIMIT).unwrap();
    agents[1].start_again(lab.node(1)).unwrap();
    waiting::until(LIMIT, "b is there again", || answers(&agents[1]).is_some());
    assert_eq!(agents[1].epochs_by_role().unwrap(), before);
    let found = answers(&agents[1]).unwrap();
    assert_eq!(found.mac, "interface");
    assert!(
        found
            .note
            .unwrap()
            .contains("under the agent before this one")
    );
    // A stop and a start find out anew.
    agents[1].daemon().stop(LIMIT).unwrap();
    agents[1].start_again(lab.node(1)).unwrap();
    waiting::until(LIMIT, "b answers with the virtual MAC", || {
        answers(&agents[1]).is_some_and(|found| found.mac == "virtual" && found.note.is_none())
    });
}

#[test]
fn where_nobody_answers_it_begins_and_says_so() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    lab.close(0, Closed::Both).unwrap();
    lab.unplug(1).unwrap();
    // As if an agent had been killed while it asked.
    let mut bridge = lab.node(0).namespace().command("bridge").unwrap();
    let left = format!("{TRIAL}01:02:03");
    command::run(bridge.args(["fdb", "add", &left, "dev", INTERFACE, "self", "permanent"]))
        .unwrap();
    assert!(filter(lab.node(0), INTERFACE).contains(TRIAL));
    let agent = start(&lab, 0, &Service::new(1, 1), "");
    waiting::until(LIMIT, "a is Active", || is_active(&agent));
    let found = answers(&agent).unwrap();
    assert_eq!(found.mac, "virtual");
    let note = found.note.unwrap();
    let peer = lab.node(1).station().v4.to_string();
    assert!(
        note.contains("nobody answers") && note.contains(&peer),
        "{note}"
    );
    let filter = filter(lab.node(0), INTERFACE);
    assert!(
        !filter.contains(TRIAL) && filter.contains(VIRTUAL),
        "{filter}"
    );
}

#[test]
fn a_reload_that_adds_such_a_group_is_refused_and_disturbs_nothing() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    lab.close(0, Closed::Both).unwrap();
    let service = Service::new(1, 0);
    let agent = start(&lab, 0, &service, FALLBACK);
    waiting::until(LIMIT, "a is Active", || is_active(&agent));
    let before = agent.standing(GROUP).unwrap();
    let file = agent.file().unwrap();
    let vip: IpAddr = address::vip4(7).into();
    let more = agent::group("more", 52, 200, &[vip]);

    agent.rewrite(&(file.clone() + &more)).unwrap();
    let said = agent.reload().unwrap_err().to_string();
    for part in ["group more", "trust on", FALLBACK.trim()] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Nor is it taken from a group that lives on it.
    agent.rewrite(&file.replace(FALLBACK, "")).unwrap();
    let said = agent.reload().unwrap_err().to_string();
    assert!(said.contains("put mac_fallback"), "{said}");
    assert_eq!(agent.standing(GROUP).unwrap(), before);
    assert_eq!(agent.standing("more").unwrap(), None);
    is_clean(lab.node(0), INTERFACE);

    let allowed = more.replacen("interface =", &format!("{FALLBACK}interface ="), 1);
    agent.rewrite(&(file + &allowed)).unwrap();
    agent.reload().unwrap();
    waiting::until(LIMIT, "the new one is Active", || {
        agent.is_active_for("more").unwrap()
    });
    assert_eq!(agent.answers("more").unwrap().mac, "interface");
    assert_eq!(agent.standing(GROUP).unwrap(), before);
    is_clean(lab.node(0), INTERFACE);
}
