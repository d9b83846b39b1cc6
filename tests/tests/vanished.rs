//! An interface is taken out and another one of its name put in: its groups move, and take part again when it is
//! back, without an operator, and those on other interfaces notice nothing.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    net::{IpAddr, Ipv4Addr},
    thread::sleep,
    time::Duration,
};

use ha_lab::{
    address,
    agent::{self, Agent, GROUP, Setup, Standing},
    cluster::Service,
    command,
    echo::Echo,
    lab::Lab,
    node::INTERFACE,
    probe::Prober,
    under_test, waiting,
};

/// Time between probes: a loss is found out soon, and a busy machine is none.
const PROBES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);
/// What nothing happens to.
const OTHER: &str = "other";
/// The nodes' addresses on the network that it is on, a cable from one to the other.
const OTHER_NET: [Ipv4Addr; 2] = [Ipv4Addr::new(198, 18, 9, 1), Ipv4Addr::new(198, 18, 9, 2)];
const OTHER_VIP: Ipv4Addr = Ipv4Addr::new(198, 18, 9, 9);

struct Pair {
    agents: Vec<Agent>,
    _echoes: Vec<Echo>,
    // Last: the agents are stopped before it goes.
    lab: Lab,
}

impl Pair {
    /// Two nodes, of which the first is Active, and the second stays so when it has taken over. They have a group more,
    /// on another interface.
    fn start() -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let service = Service::new(1, 1);
        let echoes = lab.nodes().iter();
        let echoes = echoes.map(|node| Echo::start(node, &service.vips).unwrap());
        let echoes = echoes.collect();
        let names = [0, 1].map(|node| lab.node(node).namespace().name());
        let cable = format!(
            "link add other0 type veth peer name other0 netns {}\n",
            names[1]
        );
        command::ip_batch(names[0], &cable).unwrap();
        for (name, own) in names.iter().zip(OTHER_NET) {
            let up = format!("link set other0 up\naddress add {own}/24 dev other0\n");
            command::ip_batch(name, &up).unwrap();
        }
        let start = |lab: &Lab, node: u8| {
            let peer = agent::peer(lab.node(1 - node), PROBES);
            let over_other = format!(
                "paths = [\n  {{ interface = \"other0\", address = \"{}\" }},",
                OTHER_NET[usize::from(1 - node)]
            );
            let peer = peer.replacen("paths = [", &over_other, 1);
            let priority = [200, 150][usize::from(node)];
            let group = agent::group_on("other0", OTHER, 60, priority, &[OTHER_VIP.into()]);
            let setup = Setup {
                tables: format!("{peer}\n[[interface]]\nname = \"other0\"\n{group}"),
                election: "preempt = false\n".to_owned(),
                ..Setup::new(&service, priority)
            };
            Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
        };
        let mut pair = Self {
            agents: vec![start(&lab, 0)],
            _echoes: echoes,
            lab,
        };
        pair.until("a is Active for both", |pair| {
            pair.is_active(0, GROUP) && pair.is_active(0, OTHER)
        });
        let second = start(&pair.lab, 1);
        pair.agents.push(second);
        pair.until("b is Backup and they hear each other", |pair| {
            pair.is_backup(1) && pair.hear_each_other()
        });
        pair
    }

    fn is_active(&self, node: usize, group: &str) -> bool {
        self.agents[node].is_active_for(group).unwrap_or(false)
    }

    fn is_backup(&self, node: usize) -> bool {
        let standing = self.agents[node].standing(GROUP).ok().flatten();
        standing.is_some_and(|standing| standing.role == "backup")
    }

    fn hear_each_other(&self) -> bool {
        self.agents.iter().all(|agent| {
            let ways = agent.ways().unwrap_or_default();
            !ways.is_empty() && ways.iter().all(|way| way.state == "up")
        })
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }

    fn other(&self) -> Standing {
        self.agents[0].standing(OTHER).unwrap().unwrap()
    }

    fn noted(&self, kind: &str) -> bool {
        self.agents[0].noted().unwrap().contains(kind)
    }

    fn index(&self) -> u32 {
        let namespace = self.lab.node(0).namespace();
        namespace.ifindex(INTERFACE).unwrap()
    }

    /// The first node works on its interface as it is now, and is Backup.
    fn until_back(&self, index: u32) {
        self.until("a takes part again", |pair| {
            let found = pair.agents[0].index_of(INTERFACE).ok().flatten();
            found == Some(index) && pair.is_backup(0) && pair.hear_each_other()
        });
    }

    /// The second node, which is Active, hands over to the first.
    fn switch_back(&self) {
        self.agents[1].switch_over().unwrap();
        self.until("a has it again", |pair| {
            pair.is_active(0, GROUP) && !pair.is_active(1, GROUP)
        });
    }

    /// Ends the probing: nobody was answered twice, and at the end somebody was.
    fn check(&self, prober: Prober) {
        let kept = || self.lab.keep_evidence().display().to_string();
        for track in prober.finish().unwrap() {
            let dual = track.probes.iter().filter(|probe| track.is_dual(probe));
            assert_eq!(dual.count(), 0, "two answered; {}", kept());
            let last = track.probes.iter().rev().take(200);
            assert!(
                last.filter(|probe| probe.answered()).count() > 0,
                "{:?} of {} is not answered at the end; {}",
                track.kind,
                track.target,
                kept()
            );
        }
    }
}

fn targets() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

#[test]
fn an_interface_that_is_back_is_used_again() {
    let pair = Pair::start();
    let (before, index) = (pair.other(), pair.index());
    let prober = Prober::start(&pair.lab, &targets()).unwrap();
    sleep(Duration::from_millis(300));

    pair.lab.take_out(0).unwrap();
    pair.until("b has it", |pair| {
        pair.is_active(1, GROUP) && pair.is_backup(0)
    });
    pair.until("a says why", |pair| pair.noted("interface_gone"));
    assert_eq!(pair.agents[0].index_of(INTERFACE).unwrap(), None);
    sleep(Duration::from_millis(300));

    let _port = pair.lab.put_in(0).unwrap();
    let anew = pair.index();
    assert_ne!(anew, index);
    pair.until_back(anew);
    assert!(pair.noted("interface_back"));
    assert!(pair.is_active(1, GROUP), "nothing is taken from b");
    pair.switch_back();
    sleep(Duration::from_millis(500));
    pair.check(prober);
    assert_eq!(pair.other(), before);
}

#[test]
fn an_interface_that_is_exchanged_at_once_is_used_again_and_again() {
    let pair = Pair::start();
    let before = pair.other();
    let prober = Prober::start(&pair.lab, &targets()).unwrap();
    let mut ports = Vec::new();
    for _ in 0..3 {
        pair.lab.take_out(0).unwrap();
        ports.push(pair.lab.put_in(0).unwrap());
        pair.until("b has it", |pair| pair.is_active(1, GROUP));
        pair.until_back(pair.index());
        pair.switch_back();
    }
    sleep(Duration::from_millis(500));
    pair.check(prober);
    assert_eq!(pair.other(), before);
}

#[test]
fn an_interface_that_was_exchanged_while_no_agent_ran_is_used() {
    let mut pair = Pair::start();
    let old = pair.index();
    // Without an agent it is nobody's to see that the kernel does not answer on a new interface.
    let namespace = pair.lab.node(0).namespace();
    namespace.set("ipv4/conf/default/arp_ignore", "1").unwrap();
    let prober = Prober::start(&pair.lab, &targets()).unwrap();
    pair.agents[0].daemon().kill().unwrap();
    pair.lab.take_out(0).unwrap();
    let _port = pair.lab.put_in(0).unwrap();
    pair.agents[0].start_again(pair.lab.node(0)).unwrap();
    pair.until("b has it", |pair| pair.is_active(1, GROUP));
    pair.until_back(pair.index());
    let pins = pair.lab.node(0).pins();
    assert!(!pins.join(format!("link-{old}")).exists());
    assert!(pins.join(format!("link-{}", pair.index())).exists());
    pair.switch_back();
    pair.until("a has the other group", |pair| pair.is_active(0, OTHER));
    sleep(Duration::from_millis(500));
    pair.check(prober);
}

#[test]
fn an_address_that_comes_late_is_waited_for() {
    let pair = Pair::start();
    pair.lab.take_out(0).unwrap();
    pair.until("b has it", |pair| pair.is_active(1, GROUP));
    let _port = pair.lab.put_in(0).unwrap();
    let mine = pair.lab.node(0).station().v4;
    let name = pair.lab.node(0).namespace().name();
    let of = |verb: &str| format!("address {verb} {mine}/16 dev {INTERFACE}\n");
    pair.until_back(pair.index());

    // Now without one, and with one a second later.
    pair.lab.take_out(0).unwrap();
    let _port = pair.lab.put_in(0).unwrap();
    command::ip_batch(name, &of("del")).unwrap();
    sleep(Duration::from_secs(1));
    assert!(pair.is_active(1, GROUP) && pair.is_backup(0));
    command::ip_batch(name, &of("add")).unwrap();
    pair.until_back(pair.index());
    pair.switch_back();
}
