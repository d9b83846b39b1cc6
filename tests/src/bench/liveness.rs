//! Two nodes that live, on a machine that has no time for them: who takes the other for dead?
//!
//! Four busy loops for each processor go before everything that is measured. The agents probe each other at
//! 3 ms and have their default lease; keepalived advertises as often as it can. A client asks both a thousand
//! times a second.

use std::{
    fmt,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Seen, load::Load, usage::Usage};
use crate::{
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    probe::Prober,
    report::{Report as Probes, Window},
};

const LOAD: Load = Load {
    for_each_processor: 4,
    niceness: -10,
};
/// What a quiet host allows.
const PROBES: Duration = Duration::from_millis(3);
/// The default.
const LEASE: Duration = Duration::from_millis(200);
/// The shortest that VRRP has.
const ADVERTS: Duration = Duration::from_millis(10);
/// Not counted: the client resolves the addresses.
const WARM_UP: Duration = Duration::from_millis(500);

/// What one program did.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// `ha-agent` or `keepalived`.
    pub program: &'static str,
    /// How its nodes watch each other.
    pub watches: String,
    /// What the client met.
    #[serde(flatten)]
    pub probes: Probes,
    /// The nodes, first the one that has the addresses.
    pub nodes: Vec<Node>,
}

/// What one program did and cost on one node.
#[derive(Clone, Debug, Serialize)]
pub struct Node {
    /// `active` or `backup`.
    pub role: &'static str,
    /// How often the node began or ceased to have the addresses.
    pub role_changes: u64,
    /// How often it took its peer for lost, or found it back.
    pub liveness_changes: Option<usize>,
    /// The longest silence after which the peer was still there, milliseconds.
    pub longest_silence_ms: Option<f64>,
    /// From probe to answer in the mean, microseconds.
    pub round_trip_us: Option<f64>,
    /// The longest time from probe to answer, microseconds.
    pub longest_round_trip_us: Option<f64>,
    /// Processor time, percent of one processor.
    pub cpu_percent: f64,
}

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How long was looked on, seconds.
    pub seconds: u64,
    /// Busy loops beside them.
    pub loops: usize,
    /// Niceness of the loops.
    pub niceness: i8,
    /// One for each program.
    pub programs: Vec<Entry>,
}

/// Runs both programs, one after the other, for so many seconds each.
///
/// # Errors
///
/// When one cannot be started or does not come to have the addresses on the first node.
pub fn run(agent: &Path, seconds: u64) -> Result<Report> {
    let time = Duration::from_secs(seconds);
    let ours = Service {
        liveness: Some(PROBES),
        lease: LEASE,
        ..Service::new(1, 1)
    };
    let theirs = Service {
        advert_interval: ADVERTS,
        ..Service::new(1, 1)
    };
    let ours = look_on(&System::HaAgent(agent.to_owned()), ours, time).context("with ha-agent")?;
    let theirs = look_on(&System::Keepalived, theirs, time).context("with keepalived")?;
    Ok(Report {
        seconds,
        loops: LOAD.loops(),
        niceness: LOAD.niceness,
        programs: vec![ours, theirs],
    })
}

impl Seen for Report {
    fn own_role_changes(&self) -> u64 {
        let own = self
            .programs
            .iter()
            .filter(|entry| entry.program == "ha-agent");
        own.flat_map(|entry| &entry.nodes)
            .map(|node| node.role_changes)
            .sum()
    }
}

fn look_on(system: &System, service: Service, time: Duration) -> Result<Entry> {
    let (program, watches) = match system {
        System::HaAgent(_) => (
            "ha-agent",
            format!("probes each {PROBES:?}, three may be lost"),
        ),
        System::Keepalived => ("keepalived", format!("advertisements each {ADVERTS:?}")),
    };
    let mut cluster = Cluster::start(system, service)?;
    let prober = Prober::start(cluster.lab(), &cluster.service().sampled())?;
    sleep(WARM_UP);
    let from = prober.clock().now();
    let begun = Instant::now();
    let before = [PREFERRED, STANDBY].map(|node| Snapshot::take(&mut cluster, node));
    let load = LOAD.start(cluster.lab())?;
    sleep(time);
    drop(load);
    let looked = begun.elapsed();
    let after = [PREFERRED, STANDBY].map(|node| Snapshot::take(&mut cluster, node));
    let tracks = prober.finish()?;
    let probes = Probes::new(
        &tracks,
        Window {
            from,
            fault: None,
            owner: PREFERRED,
            split: None,
        },
    );
    let mut nodes = Vec::new();
    let pairs = before.into_iter().zip(after);
    for ((node, role), (before, after)) in [(PREFERRED, "active"), (STANDBY, "backup")]
        .into_iter()
        .zip(pairs)
    {
        let (before, after) = (before?, after?);
        if cluster.agent(node).is_some() && after.role_changes > before.role_changes {
            cluster.lab().keep_evidence();
        }
        nodes.push(Node::of(&cluster, (node, role), (before, after), looked)?);
    }
    Ok(Entry {
        program,
        watches,
        probes,
        nodes,
    })
}

/// What grows.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    role_changes: u64,
    liveness_changes: Option<usize>,
    usage: Usage,
}

impl Snapshot {
    fn take(cluster: &mut Cluster, node: u8) -> Result<Self> {
        let agent = cluster.agent(node);
        Ok(Self {
            liveness_changes: agent
                .map(crate::agent::Agent::liveness_changes)
                .transpose()?,
            role_changes: cluster.role_changes(node)?,
            usage: Usage::of(cluster.daemon(node))?,
        })
    }
}

impl Node {
    fn of(
        cluster: &Cluster,
        (node, role): (u8, &'static str),
        (before, after): (Snapshot, Snapshot),
        time: Duration,
    ) -> Result<Self> {
        let agent = cluster.agent(node);
        let ways = agent
            .map(crate::agent::Agent::ways)
            .transpose()?
            .unwrap_or_default();
        let trips = || ways.iter().filter_map(|way| way.round_trip);
        let count = trips().count();
        let mean = trips().map(|trip| trip.mean_us).sum::<f64>() / count as f64;
        Ok(Self {
            role,
            role_changes: after.role_changes - before.role_changes,
            liveness_changes: after
                .liveness_changes
                .zip(before.liveness_changes)
                .map(|(after, before)| after - before),
            longest_silence_ms: ways
                .iter()
                .map(|way| way.longest_silence_ms)
                .reduce(f64::max),
            round_trip_us: (count > 0).then_some(mean),
            longest_round_trip_us: trips().map(|trip| trip.longest_us).reduce(f64::max),
            cpu_percent: after.usage.cpu_percent_since(before.usage, time),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} s beside {} busy loops of niceness {}; nobody died",
            self.seconds, self.loops, self.niceness
        )?;
        for entry in &self.programs {
            writeln!(
                f,
                "\n{}, {}: a client lost {} of {} probes, at most {} ms in a row; both answered {}",
                entry.program,
                entry.watches,
                entry.probes.probes_lost,
                entry.probes.probes_sent,
                entry.probes.outage_ms,
                entry.probes.dual_answers
            )?;
            writeln!(
                f,
                "{:<8} {:>12} {:>16} {:>16} {:>12} {:>12} {:>10}",
                "role",
                "role changes",
                "liveness changes",
                "longest silence",
                "round trip",
                "at most",
                "processor"
            )?;
            for node in &entry.nodes {
                writeln!(
                    f,
                    "{:<8} {:>12} {:>16} {:>16} {:>12} {:>12} {:>8.1} %",
                    node.role,
                    node.role_changes,
                    or_dash(node.liveness_changes, ""),
                    or_dash(node.longest_silence_ms.map(f64::round), " ms"),
                    or_dash(node.round_trip_us.map(f64::round), " us"),
                    or_dash(node.longest_round_trip_us.map(f64::round), " us"),
                    node.cpu_percent
                )?;
            }
        }
        Ok(())
    }
}

fn or_dash(value: Option<impl fmt::Display>, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value}{unit}"))
}
