//! Many virtual routers in one program, on a machine that has no time for them.
//!
//! Two nodes share 255 groups, each with its own timers, while two busy loops for each processor run
//! beside them. What counts is that no group changes its owner, and what that costs; keepalived does the
//! same in the same run.

use std::{
    fmt,
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    thread::{available_parallelism, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use crate::{
    address,
    agent::{Agent, Setup},
    cluster::Service,
    command,
    daemon::Daemon,
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
/// Busy loops for each processor.
const LOOPS: usize = 2;
/// Ticks of the clock of `/proc/PID/stat` in a second (`sysconf(_SC_CLK_TCK)`, the same everywhere).
const TICKS: f64 = 100.0;

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
    let loops = LOOPS * available_parallelism().map_or(1, usize::from);
    let mut rows = ours(agent, seconds, loops).context("with ha-agent")?;
    rows.extend(theirs(seconds, loops).context("with keepalived")?);
    Ok(Report {
        groups: GROUPS,
        seconds,
        loops,
        rows,
    })
}

impl Report {
    /// Role changes of this project's agent.
    #[must_use]
    pub fn own_role_changes(&self) -> u64 {
        let own = self.rows.iter().filter(|row| row.program == "ha-agent");
        own.map(|row| row.role_changes).sum()
    }
}

fn ours(program: &Path, seconds: u64, loops: usize) -> Result<Vec<Row>> {
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
    let _load = load(&lab, loops)?;
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

fn theirs(seconds: u64, loops: usize) -> Result<Vec<Row>> {
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
    let _load = load(&lab, loops)?;
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
            cpu_percent: (after.ticks - before.ticks) as f64 / TICKS / seconds as f64 * 100.0,
            memory_mib: after.resident_kib as f64 / 1024.0,
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

fn load(lab: &Lab, loops: usize) -> Result<Vec<Daemon>> {
    let log = lab.node(0).dir().join("load.log");
    let one = |_| {
        let mut command = lab.client().command("sh")?;
        command.args(["-c", "while :; do :; done"]);
        Daemon::start("busy loop", command, &log)
    };
    (0..loops).map(one).collect()
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

/// What a program has used, with its children.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    ticks: u64,
    resident_kib: u64,
}

fn usages(daemons: &[&mut Daemon]) -> Result<Vec<Usage>> {
    daemons.iter().map(|daemon| usage(daemon.id())).collect()
}

/// Of all processes of the group that the daemon leads (proc(5)).
fn usage(leader: u32) -> Result<Usage> {
    let mut sum = Usage::default();
    for entry in fs::read_dir("/proc")? {
        let dir = entry?.path();
        let Ok(stat) = fs::read_to_string(dir.join("stat")) else {
            continue;
        };
        let fields: Vec<&str> = match stat.rsplit_once(") ") {
            Some((_, fields)) => fields.split_ascii_whitespace().collect(),
            None => continue,
        };
        // Counted from the state, which is the third field of all.
        let number = |field: usize| {
            fields
                .get(field - 3)
                .and_then(|text| text.parse::<u64>().ok())
        };
        if number(5) != Some(u64::from(leader)) {
            continue;
        }
        sum.ticks += number(14).unwrap_or(0) + number(15).unwrap_or(0);
        let status = fs::read_to_string(dir.join("status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        sum.resident_kib += kib.unwrap_or(0);
    }
    ensure!(sum.resident_kib > 0, "the process group {leader} is gone");
    Ok(sum)
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
