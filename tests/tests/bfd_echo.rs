//! Echo packets of BFD between two agents: each sends them, and the other's data path sends them back.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::IpAddr, thread::sleep, time::Duration};

use ha_lab::{
    agent::{Agent, BfdStatus, Setup},
    cluster::Service,
    command,
    lab::Lab,
    under_test, waiting,
};

const LIMIT: Duration = Duration::from_secs(10);
/// Three of these in a row are a failure. With echo packets, control packets come once a second, so that their
/// loss takes three seconds to be one.
const EVERY: Duration = Duration::from_millis(50);
const WHILE: Duration = Duration::from_millis(1_500);

/// A session for each family with the other node.
fn sessions(lab: &Lab, node: u8) -> String {
    let other = lab.node(1 - node);
    let addresses: [IpAddr; 2] = [other.station().v4.into(), other.link_local().into()];
    let session = |address: IpAddr| {
        format!(
            "[[bfd]]\nname = \"{}\"\ninterface = \"eth0\"\naddress = \"{address}\"\n\
             echo_interval = \"{EVERY:?}\"\n",
            name(address.is_ipv4())
        )
    };
    addresses.map(session).concat()
}

const fn name(is_v4: bool) -> &'static str {
    if is_v4 { "v4" } else { "v6" }
}

struct Stage {
    agents: [Agent; 2],
    // Last: the agents are stopped before the lab goes.
    lab: Lab,
}

impl Stage {
    fn set() -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let service = Service::new(1, 1);
        let agents = [(0, 200), (1, 150)].map(|(node, priority)| {
            let setup = Setup {
                tables: sessions(&lab, node),
                ..Setup::new(&service, priority)
            };
            Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
        });
        let answers = |agent: &Agent| agent.is_active().is_ok();
        waiting::until(LIMIT, "both agents answer", || agents.iter().all(answers));
        Self { agents, lab }
    }

    fn sessions(&self) -> Vec<BfdStatus> {
        let agents = self.agents.iter();
        agents
            .flat_map(|agent| [true, false].map(|v4| agent.bfd(name(v4)).unwrap()))
            .collect()
    }

    /// Waits until it is so of all sessions.
    fn until(&self, what: &str, is_so: impl Fn(&BfdStatus) -> bool) {
        waiting::until(LIMIT, what, || self.sessions().iter().all(&is_so));
    }

    /// Lets the nodes hear nobody, or everybody again. Their links stay up.
    fn set_alone(&self, state: &str) {
        for port in ["a", "b"] {
            let mut bridge = self.lab.switch().command("bridge").unwrap();
            bridge.args(["link", "set", "dev", port, "isolated", state]);
            command::run(&mut bridge).unwrap();
        }
    }
}

#[test]
fn what_is_sent_comes_back_and_when_it_does_not_the_session_is_down() {
    let stage = Stage::set();
    stage.until("all are Up and send echo packets", |session| {
        session.state == "up" && session.echoes_in > 5
    });
    let before = stage.sessions();
    sleep(WHILE);
    for (before, after) in before.iter().zip(stage.sessions()) {
        let [sent, back] = [
            after.echoes_out - before.echoes_out,
            after.echoes_in - before.echoes_in,
        ];
        // One is on its way; the machine may be late, but may not send more than was asked for.
        assert!(back + 2 >= sent, "{back} of {sent} are back");
        assert!(u128::from(sent) <= WHILE.as_millis() / EVERY.as_millis() + 10);
        assert_eq!(after.state, "up");
    }
    stage.set_alone("on");
    stage.until("all have noticed by the echo packets", |session| {
        session.state != "up" && session.diagnostic == "echo_failed"
    });
    stage.set_alone("off");
    stage.until("all are Up again", |session| session.state == "up");
}
