//! Checks move a group at once, with the one that moves together with it, and back when they are well.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    address,
    agent::{Agent, GROUP, Setup},
    cluster::Service,
    lab::Lab,
    node::Node,
    under_test,
};

/// The group that moves with the first one.
const OTHER: &str = "other";
const LIMIT: Duration = Duration::from_secs(10);

/// Both nodes, and what the first one's checks look at.
struct Stage {
    lab: Lab,
    agents: [Agent; 2],
    dir: PathBuf,
    listener: Option<TcpListener>,
    process: Child,
}

impl Stage {
    fn set() -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let service = Service::new(1, 1);
        let dir = lab.node(0).dir().to_owned();
        let listener = Some(listen(lab.node(0)));
        let process = start_process(&dir);
        fs::write(dir.join("well"), "").unwrap();
        fs::write(dir.join("number"), "0").unwrap();
        set_route(lab.node(0), "add");
        let tracked = Setup {
            group: tracks().to_owned(),
            tables: synced(200) + &checks(&dir),
            ..Setup::new(&service, 200)
        };
        let plain = Setup {
            tables: synced(150),
            ..Setup::new(&service, 150)
        };
        let start =
            |node, setup| Agent::start_as(&under_test::agent(), lab.node(node), setup).unwrap();
        let agents = [start(0, &tracked), start(1, &plain)];
        let stage = Self {
            agents,
            lab,
            dir,
            listener,
            process,
        };
        stage.until_served_by(0, "the start");
        stage
    }

    /// Waits until both groups are Active on this node and on this node alone.
    fn until_served_by(&self, node: usize, after: &str) {
        let begun = Instant::now();
        let is_so = || {
            [GROUP, OTHER].iter().all(|group| {
                let here = self.agents[node].is_active_for(group);
                let there = self.agents[1 - node].is_active_for(group);
                matches!((here, there), (Ok(true), Ok(false)))
            })
        };
        while !is_so() {
            if begun.elapsed() > LIMIT {
                let dir = self.lab.keep_evidence();
                panic!(
                    "after {after}: not both on node {node}; see {}",
                    dir.display()
                );
            }
            sleep(Duration::from_millis(10));
        }
        println!(
            "after {after}: served by node {node} within {:?}",
            begun.elapsed()
        );
    }

    /// Breaks something, and mends it.
    fn check(&mut self, what: &str, spoil: impl FnOnce(&mut Self), mend: impl FnOnce(&mut Self)) {
        spoil(self);
        self.until_served_by(1, &format!("{what} broken"));
        mend(self);
        self.until_served_by(0, &format!("{what} mended"));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It has ended if it was the turn of its check.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn tracks() -> &'static str {
    r#"track = [
    { check = "process" },
    { check = "tcp" },
    { check = "route" },
    { check = "script", weight = -100 },
    { check = "number", weight = 2 },
]
"#
}

fn checks(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r#"
[[check]]
name = "process"
type = "process"
pid_file = "{dir}/pid"
interval = "2s"

[[check]]
name = "tcp"
type = "tcp"
address = "127.0.0.1:7070"
interval = "100ms"

[[check]]
name = "route"
type = "route"
destination = "10.99.0.0/16"
interval = "10s"

[[check]]
name = "script"
type = "script"
command = ["/usr/bin/test", "-e", "{dir}/well"]
interval = "100ms"
fall = 2

[[check]]
name = "number"
type = "file"
file = "{dir}/number"
interval = "10s"
"#
    )
}

/// A second group, which moves with the first.
fn synced(priority: u8) -> String {
    format!(
        r#"
[[group]]
name = "{OTHER}"
interface = "eth0"
vips = ["{}"]
[group.election]
type = "vrrp"
vrid = 52
priority = {priority}

[[sync]]
name = "both"
groups = ["{GROUP}", "{OTHER}"]
"#,
        address::vip4(9)
    )
}

fn listen(node: &Node) -> TcpListener {
    let bind = || Ok(TcpListener::bind("127.0.0.1:7070")?);
    node.namespace().run(bind).unwrap()
}

fn start_process(dir: &Path) -> Child {
    let process = Command::new("sleep").arg("600").spawn().unwrap();
    fs::write(dir.join("pid"), process.id().to_string()).unwrap();
    process
}

fn set_route(node: &Node, action: &str) {
    let status = Command::new("ip")
        .args(["-n", node.namespace().name(), "route", action])
        .args(["10.99.0.0/16", "dev", "eth0"])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn checks_move_both_groups_and_bring_them_back() {
    let mut stage = Stage::set();
    stage.check(
        "the process",
        |stage| {
            stage.process.kill().unwrap();
            stage.process.wait().unwrap();
        },
        |stage| {
            stage.process = start_process(&stage.dir);
        },
    );
    stage.check(
        "the listener",
        |stage| drop(stage.listener.take()),
        |stage| stage.listener = Some(listen(stage.lab.node(0))),
    );
    stage.check(
        "the route",
        |stage| set_route(stage.lab.node(0), "del"),
        |stage| set_route(stage.lab.node(0), "add"),
    );
    stage.check(
        "the script",
        |stage| fs::remove_file(stage.dir.join("well")).unwrap(),
        |stage| fs::write(stage.dir.join("well"), "").unwrap(),
    );
    stage.check(
        "the number",
        |stage| fs::write(stage.dir.join("number"), "-50").unwrap(),
        |stage| fs::write(stage.dir.join("number"), "0").unwrap(),
    );
    stage.check(
        "the carrier",
        |stage| stage.lab.unplug(0).unwrap(),
        |stage| stage.lab.plug_in(0).unwrap(),
    );
}
