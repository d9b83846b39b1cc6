//! Two nodes, of which the first is Active.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    process::Command,
    time::Duration,
};

use ha_common::abi::SCHEMA;
use ha_lab::{
    address,
    agent::{self, Agent, GROUP, Setup, Standing},
    cluster::Service,
    command,
    lab::Lab,
    under_test, waiting,
};

/// Time between probes: a loss is found out soon, and a busy machine is none.
pub(crate) const PROBES: Duration = Duration::from_millis(10);
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take, and how long nobody must have answered to be silent.
pub(crate) const ANSWER: Duration = Duration::from_millis(300);
/// A virtual IP that is not there at first.
pub(crate) const MORE: Ipv4Addr = address::vip4(100);

pub(crate) struct Pair {
    pub(crate) agents: Vec<Agent>,
    // Last: the agents are stopped before it goes.
    pub(crate) lab: Lab,
}

impl Pair {
    /// Two nodes of which the first is Active, and both know that the other lives.
    pub(crate) fn start() -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let service = Service::new(1, 1);
        let start = |node: u8| {
            let setup = Setup {
                tables: agent::peer(lab.node(1 - node), PROBES),
                ..Setup::new(&service, [200, 150][usize::from(node)])
            };
            Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
        };
        let agents = [0, 1].map(start).into();
        let pair = Self { agents, lab };
        pair.until("a is Active and b is not", |pair| {
            pair.is_active(0, GROUP) && !pair.is_active(1, GROUP) && (0..2).all(|n| pair.all_up(n))
        });
        pair
    }

    pub(crate) fn is_active(&self, node: usize, group: &str) -> bool {
        self.agents[node].is_active_for(group).unwrap_or(false)
    }

    pub(crate) fn all_up(&self, node: usize) -> bool {
        let ways = self.agents[node].ways().unwrap_or_default();
        !ways.is_empty() && ways.iter().all(|way| way.state == "up")
    }

    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }

    /// Changes the file of a node; what it was before.
    pub(crate) fn edit(&self, node: usize, edit: impl FnOnce(&str) -> String) -> String {
        let before = self.agents[node].file().unwrap();
        let after = edit(&before);
        assert_ne!(before, after, "the edit changes nothing");
        self.agents[node].rewrite(&after).unwrap();
        before
    }

    /// Changes the file of a node and puts it in force.
    pub(crate) fn change(&self, node: usize, edit: impl FnOnce(&str) -> String) -> String {
        self.edit(node, edit);
        self.agents[node].reload().unwrap()
    }

    pub(crate) fn refusal(&self, node: usize) -> String {
        format!("{:#}", self.agents[node].reload().unwrap_err())
    }

    pub(crate) fn standing(&self, node: usize, group: &str) -> Option<Standing> {
        self.agents[node].standing(group).unwrap()
    }

    pub(crate) fn ip(&self, node: u8, arguments: &[&str]) -> String {
        let mut ip = Command::new("ip");
        ip.args(["-n", self.lab.node(node).namespace().name()]);
        command::run(ip.args(arguments)).unwrap()
    }

    /// Whether the node would deliver packets to this address to its own applications.
    pub(crate) fn is_local(&self, node: u8, vip: IpAddr) -> bool {
        let family = if vip.is_ipv4() { "-4" } else { "-6" };
        let routes = self.ip(node, &[family, "route", "show", "table", "local"]);
        let vip = format!("local {vip} ");
        routes.lines().any(|line| format!("{line} ").contains(&vip))
    }

    /// What is pinned, by name.
    pub(crate) fn pins(&self, node: u8) -> Vec<String> {
        let links = self.lab.node(node).pins();
        let maps = links.join(SCHEMA.to_string());
        let entries = [links, &maps].map(|pins| fs::read_dir(pins).unwrap());
        let entries = entries.into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// One more interface with an address, and what is behind it.
    pub(crate) fn add_interface(&self, node: u8, name: &str, address: &str) {
        let far = format!("{name}p");
        command::ip_batch(
            self.lab.node(node).namespace().name(),
            &format!(
                "link add {name} type veth peer name {far}\nlink set {name} up\nlink set {far} up\n\
                 address add {address} dev {name}\n"
            ),
        )
        .unwrap();
    }
}

pub(crate) fn more_vips(file: &str, vips: &[IpAddr]) -> String {
    let lines: String = vips.iter().map(|vip| format!("    \"{vip}\",\n")).collect();
    file.replacen("vips = [\n", &format!("vips = [\n{lines}"), 1)
}
