//! Many virtual routers in one program, on a machine that has no time for them.
//!
//! Two nodes share 255 groups, each with its own timers, while two busy loops for each processor run
//! beside them. What counts is that no group changes its owner, and what that costs; keepalived does the
//! same in the same run.

use std::{
    fmt,
    fmt::Write as _,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::{
    Seen,
    load::Load,
    usage::{Usage, usages},
};
use crate::{
    address,
    agent::{Agent, Setup},
    cluster::Service,
    command,
    keepalived::Keepalived,
    lab::Lab,
    node::{INTERFACE, Node},
};

/// Virtual router ids that there are.
const GROUPS: u32 = 255;
/// Priorities of the nodes.
const PRIORITIES: [u8; 2] = [200, 150];
/// How long it may take until the first node has all groups.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is not counted: the announcements after the take-over.
const CALM: Duration = Duration::from_secs(5);
const LOAD: Load = Load {
    for_each_processor: 2,
    niceness: 0,
};

/// What one program did and cost on one node.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// `ha-agent` or `keepalived`.
    pub program: &'static str,
    /// `active` or `backup`.
    pub role: &'static str,
    /// Groups that changed their role meanwhile.
    pub role_changes: u64,
    /// Processor time, percent of one processor.
    pub cpu_percent: f64,
    /// Resident memory, MiB.
    pub memory_mib: f64,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How many groups there were.
    pub groups: u32,
    /// How long was looked on, seconds.
    pub seconds: u64,
    /// Busy loops beside them.
    pub loops: usize,
    /// One for each program and node.
    pub rows: Vec<Row>,
}

/// Runs both programs, one after the other, for so many seconds each.
///
/// # Errors
///
/// When one cannot be started or does not come to have all groups on the first node.
pub fn run(agent: &Path, seconds: u64) -> Result<Report> {
    let mut rows = ours(agent, seconds).context("with ha-agent")?;
    rows.extend(theirs(seconds).context("with keepalived")?);
    Ok(Report {
        groups: GROUPS,
        seconds,
        loops: LOAD.loops(),
        rows,
    })
}

impl Seen for Report {
    fn own_role_changes(&self) -> u64 {
        let own = self.rows.iter().filter(|row| row.program == "ha-agent");
        own.map(|row| row.role_changes).sum()
    }
}

fn ours(program: &Path, seconds: u64) -> Result<Vec<Row>> {
    let lab = Lab::create(&["a", "b"])?;
    let service = Service::new(1, 0);
    let mut agents = Vec::new();
    for (node, priority) in lab.nodes().iter().zip(PRIORITIES) {
        let setup = Setup {
            tables: groups(&service, priority),
            ..Setup::new(&service, priority)
        };
        agents.push(Agent::start_as(program, node, &setup)?);
    }
    let settled = || {
        let count = |node: usize| agents[node].epochs_by_role();
        matches!((count(0), count(1)), (Ok((active, _)), Ok((0, _))) if active == GROUPS as usize)
    };
    wait(settled)?;
    let _load = LOAD.start(&lab)?;
    sleep(CALM);
    let mut daemons: Vec<_> = agents.iter_mut().map(Agent::daemon).collect();
    let before = usages(&daemons)?;
    drop(daemons);
    let epochs = epochs(&agents)?;
    sleep(Duration::from_secs(seconds));
    daemons = agents.iter_mut().map(Agent::daemon).collect();
    let after = usages(&daemons)?;
    drop(daemons);
    let changes = epochs
        .iter()
        .zip(self::epochs(&agents)?)
        .map(|(before, after)| after - before);
    Ok(rows("ha-agent", seconds, &before, &after, changes))
}

fn theirs(seconds: u64) -> Result<Vec<Row>> {
    let lab = Lab::create(&["a", "b"])?;
    let mut all = Vec::new();
    for (node, priority) in lab.nodes().iter().zip(PRIORITIES) {
        all.push(Keepalived::start_with(node, &instances(node, priority))?);
    }
    let settled = || {
        let count = |node: u8| addresses(lab.node(node)).unwrap_or(0);
        // Beside the virtual IPs each node has its own address.
        (count(0), count(1)) == (GROUPS as usize + 1, 1)
    };
    wait(settled)?;
    let _load = LOAD.start(&lab)?;
    sleep(CALM);
    let transitions =
        || -> Result<Vec<u64>> { lab.nodes().iter().map(Keepalived::transitions).collect() };
    let daemons: Vec<_> = all
        .iter_mut()
        .map(|keepalived| &mut keepalived.daemon)
        .collect();
    let (before, changed) = (usages(&daemons)?, transitions()?);
    sleep(Duration::from_secs(seconds));
    let after = usages(&daemons)?;
    let changes = changed
        .iter()
        .zip(transitions()?)
        .map(|(before, after)| after - before);
    Ok(rows("keepalived", seconds, &before, &after, changes))
}

fn rows(
    program: &'static str,
    seconds: u64,
    before: &[Usage],
    after: &[Usage],
    changes: impl Iterator<Item = u64>,
) -> Vec<Row> {
    let usages = before.iter().zip(after);
    ["active", "backup"]
        .into_iter()
        .zip(usages.zip(changes))
        .map(|(role, ((before, after), role_changes))| Row {
            program,
            role,
            role_changes,
            cpu_percent: after.cpu_percent_since(*before, Duration::from_secs(seconds)),
            memory_mib: after.memory_mib(),
        })
        .collect()
}

/// All groups but that of the service itself.
fn groups(service: &Service, priority: u8) -> String {
    let mut tables = String::new();
    for vrid in (1..=GROUPS).filter(|vrid| *vrid != u32::from(service.vrid)) {
        let _ = write!(
            tables,
            "[[group]]\nname = \"g{vrid}\"\ninterface = \"{INTERFACE}\"\nvips = [\"{}\"]\n\
             [group.election]\ntype = \"vrrp\"\nvrid = {vrid}\npriority = {priority}\n",
            address::vip4(vrid)
        );
    }
    tables
}

fn instances(node: &Node, priority: u8) -> String {
    let mut text = format!(
        "global_defs {{\n  router_id {}\n  vrrp_version 3\n  vrrp_garp_master_repeat 1\n}}\n",
        node.name()
    );
    for vrid in 1..=GROUPS {
        let _ = write!(
            text,
            "vrrp_instance V{vrid} {{\n  state BACKUP\n  interface {INTERFACE}\n  \
             virtual_router_id {vrid}\n  priority {priority}\n  advert_int 0.1\n  \
             virtual_ipaddress {{\n    {}\n  }}\n}}\n",
            address::vip4(vrid)
        );
    }
    text
}

fn wait(is_so: impl Fn() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > PATIENCE {
            bail!("after {PATIENCE:?} the first node does not have all groups");
        }
        sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn epochs(agents: &[Agent]) -> Result<Vec<u64>> {
    agents
        .iter()
        .map(|agent| Ok(agent.epochs_by_role()?.1))
        .collect()
}

/// IPv4 addresses of the node's interface.
fn addresses(node: &Node) -> Result<usize> {
    let mut ip = Command::new("ip");
    ip.args(["-n", node.namespace().name(), "-4", "-o", "addr", "show"]);
    Ok(command::run(ip.args(["dev", INTERFACE]))?.lines().count())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} groups, an advertisement each 100 ms, {} s, {} busy loops beside them",
            self.groups, self.seconds, self.loops
        )?;
        writeln!(
            f,
            "{:<12} {:<8} {:>12} {:>14} {:>10}",
            "program", "role", "role changes", "processor", "memory"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<12} {:<8} {:>12} {:>12.1} % {:>6.1} MiB",
                row.program, row.role, row.role_changes, row.cpu_percent, row.memory_mib
            )?;
        }
        Ok(())
    }
}
