//! Whether a peer lives, beyond what the scenarios show: policies, more than one path, a witness.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{thread::sleep, time::Duration};

use ha_lab::{
    address,
    agent::{Agent, Setup},
    cluster::Service,
    command,
    lab::Lab,
    node::Node,
    under_test, waiting,
};

const LIMIT: Duration = Duration::from_secs(10);
/// Long enough for a take-over by any timer there is, but the lease's where a test makes it longer.
const WHILE: Duration = Duration::from_millis(1_500);
/// A link of their own between the nodes.
const HEART: &str = "heart";

/// Two nodes that probe each other.
struct Stage {
    agents: Vec<Agent>,
    // Last: the agents are stopped before the lab goes.
    lab: Lab,
}

impl Stage {
    /// `tables` is what a node is told of the other.
    fn set(lab: Lab, lease: Duration, node: &str, tables: impl Fn(&Lab, u8) -> String) -> Self {
        let service = Service {
            lease,
            ..Service::new(1, 1)
        };
        let agents = [(0, 200), (1, 150)].map(|(index, priority)| {
            let setup = Setup {
                node: node.to_owned(),
                tables: tables(&lab, index),
                ..Setup::new(&service, priority)
            };
            Agent::start_as(&under_test::agent(), lab.node(index), &setup).unwrap()
        });
        let stage = Self {
            agents: agents.into(),
            lab,
        };
        stage.until("one is Active and both live", || {
            let peers_live = |agent: &Agent| {
                let ways = agent.ways();
                ways.is_ok_and(|ways| ways.iter().all(|way| way.state == "up"))
            };
            stage.is_active(0) == Some(true)
                && stage.is_active(1) == Some(false)
                && stage.agents.iter().all(peers_live)
        });
        stage
    }

    fn is_active(&self, node: usize) -> Option<bool> {
        self.agents[node].is_active().ok()
    }

    /// Waits for it; how long it took.
    fn until(&self, what: &str, is_so: impl Fn() -> bool) -> Duration {
        waiting::until(LIMIT, what, is_so)
    }

    fn nothing_changes(&self, during: impl FnOnce()) {
        let epochs = || -> Vec<_> {
            let agents = self.agents[..2].iter();
            agents
                .map(|agent| agent.epochs_by_role().unwrap())
                .collect()
        };
        let before = epochs();
        during();
        if epochs() != before {
            let dir = self.lab.keep_evidence();
            panic!("a role has changed; see {}", dir.display());
        }
    }

    /// Lets the machines at these ports hear nobody, or everybody again. Their links stay up.
    fn set_alone(&self, ports: &[&str], state: &str) {
        for port in ports {
            let mut bridge = self.lab.switch().command("bridge").unwrap();
            bridge.args(["link", "set", "dev", port, "isolated", state]);
            command::run(&mut bridge).unwrap();
        }
    }
}

fn other(lab: &Lab, node: u8) -> &Node {
    lab.node(1 - node)
}

/// The other node, over both families.
fn peer(lab: &Lab, node: u8) -> String {
    ha_lab::agent::peer(other(lab, node), Duration::from_millis(10))
}

#[test]
fn an_agent_that_is_to_let_go_when_it_dies_does_so_long_before_its_lease_ends() {
    let lease = Duration::from_secs(5);
    let lab = Lab::create(&["a", "b"]).unwrap();
    let mut stage = Stage::set(lab, lease, "on_exit = \"release\"\n", peer);
    stage.agents[0].daemon().kill().unwrap();
    let took = stage.until("b is Active", || stage.is_active(1) == Some(true));
    assert!(took < lease / 2, "after {took:?}");
}

#[test]
fn a_peer_lives_while_one_of_its_paths_does() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    join(&lab);
    let stage = Stage::set(lab, Duration::from_millis(200), "", |lab, node| {
        let address = heart(1 - node);
        let ways = peer(lab, node).replace(
            "paths = [",
            &format!("paths = [\n  {{ interface = \"{HEART}\", address = \"{address}\" }},"),
        );
        format!("[[interface]]\nname = \"{HEART}\"\n{ways}")
    });
    assert_eq!(stage.agents[0].ways().unwrap().len(), 3);
    stage.nothing_changes(|| {
        stage.set_alone(&["a", "b"], "on");
        sleep(WHILE);
    });
    assert!(stage.agents[1].noted().unwrap().contains("adverts_lost"));
    let down = format!("link set dev {HEART} down\n");
    command::ip_batch(stage.lab.node(0).namespace().name(), &down).unwrap();
    stage.until("b is Active, as nothing is left of a", || {
        stage.is_active(1) == Some(true)
    });
    stage.set_alone(&["a", "b"], "off");
    stage.until("a alone is Active again", || {
        (stage.is_active(0), stage.is_active(1)) == (Some(true), Some(false))
    });
}

/// Plugs the nodes together.
fn join(lab: &Lab) {
    let [a, b] = [0, 1].map(|node| lab.node(node).namespace().name());
    let (own, others) = (heart(0), heart(1));
    command::ip_batch(
        a,
        &format!(
            "link add name {HEART} type veth peer name {HEART} netns {b}\n\
             addr add {own}/24 dev {HEART}\nlink set dev {HEART} up\n"
        ),
    )
    .unwrap();
    let here = format!("addr add {others}/24 dev {HEART}\nlink set dev {HEART} up\n");
    command::ip_batch(b, &here).unwrap();
}

fn heart(node: u8) -> String {
    format!("10.78.0.{}", node + 1)
}

/// Who is cut off does not take over; who is not, does.
fn is_witnessed(stage: &Stage, witness: &str) {
    stage.until("the witness answers", || {
        let noted = stage.agents[1].noted();
        noted.is_ok_and(|noted| noted.contains("witness"))
    });
    let everybody = ["a", "b", witness];
    stage.nothing_changes(|| {
        stage.set_alone(&everybody, "on");
        sleep(WHILE);
    });
    assert!(stage.agents[1].noted().unwrap().contains("no_witness"));
    stage.nothing_changes(|| {
        stage.set_alone(&everybody, "off");
        sleep(WHILE);
    });
    stage.lab.unplug(0).unwrap();
    stage.until("b is Active, with its witness", || {
        stage.is_active(1) == Some(true)
    });
}

#[test]
fn a_host_that_answers_pings_is_a_witness() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    let stage = Stage::set(lab, Duration::from_millis(200), "", |lab, node| {
        let client = address::CLIENT.v4;
        peer(lab, node) + &format!("[witness]\nping = \"{client}\"\ninterface = \"eth0\"\n")
    });
    is_witnessed(&stage, "client");
}

#[test]
fn a_third_agent_is_a_witness() {
    let lab = Lab::create(&["a", "b", "c"]).unwrap();
    let witness =
        Agent::start_witness(&under_test::agent(), lab.node(2), &lab.nodes()[..2]).unwrap();
    let mut stage = Stage::set(lab, Duration::from_millis(200), "", |lab, node| {
        let third = ha_lab::agent::peer(lab.node(2), Duration::from_millis(10));
        peer(lab, node) + &third + "[witness]\nagent = \"c\"\n"
    });
    stage.agents.push(witness);
    is_witnessed(&stage, "c");
}

/// What a node says of its peer that never answers it.
fn strange(agent: &Agent) -> Option<String> {
    let ways = agent.ways().unwrap_or_default();
    ways.into_iter().find_map(|way| way.note)
}

#[test]
fn a_peer_that_is_called_otherwise_is_told_of() {
    let lab = Lab::create(&["a", "b"]).unwrap();
    let service = Service::new(1, 1);
    // What a calls wrong asks it; what b calls wrong advertises.
    let agents = [(0, 200), (1, 150)].map(|(index, priority)| {
        let name = |node: &Node| format!("name = \"{}\"", node.name());
        let right = peer(&lab, index);
        let wrong = right.replacen(&name(other(&lab, index)), "name = \"x\"", 1);
        assert_ne!(right, wrong);
        let setup = Setup {
            tables: wrong,
            ..Setup::new(&service, priority)
        };
        Agent::start_as(&under_test::agent(), lab.node(index), &setup).unwrap()
    });
    waiting::until(LIMIT, "b says so", || strange(&agents[1]).is_some());
    let said = strange(&agents[1]).unwrap();
    assert!(said.contains("node.name really \"x\""), "{said}");
    assert!(agents[1].noted().unwrap().contains("never_answered"));
    assert!(!agents[1].is_active().unwrap());

    // Once b is right, it asks a, which does not know whom else it has asked.
    let file = agents[1].file().unwrap();
    agents[1]
        .rewrite(&file.replacen("name = \"x\"", "name = \"a\"", 1))
        .unwrap();
    agents[1].reload().unwrap();
    waiting::until(LIMIT, "b has nothing to say any more", || {
        let ways = agents[1].ways().unwrap();
        ways.iter()
            .all(|way| way.state == "up" && way.note.is_none())
    });
    waiting::until(LIMIT, "a says so", || strange(&agents[0]).is_some());
    assert!(agents[0].noted().unwrap().contains("never_answered"));
}
