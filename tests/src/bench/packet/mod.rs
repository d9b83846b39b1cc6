//! What each path through the data path costs, beside a program that does nothing.
//!
//! `BPF_PROG_TEST_RUN` repeats a program on one buffer, and the paths change the frame that they
//! handle: an ARP request is a reply the second time. So a small program of our own writes the frame
//! anew for each repetition, with another virtual IP each time so that the lookups don't find
//! everything in the processor's cache, and then goes on to the data path, or to the program that does
//! nothing. The difference is what the path costs. The counters of the data path prove that the path
//! is the one that its name says.

mod egress;
mod inject;
pub(super) mod kernel;
mod liveness;
mod paths;
pub(super) mod refill;

use std::{fmt, fs};

use anyhow::{Context, Result, ensure};
use ha_common::abi::{
    GROUP_USED, GROUP_VIRTUAL_MAC, Group, ROUTER_BY_ADDRESS, ROUTER_V4, Role, RoleWord, Router,
    RouterKey, Vip, Vip4Key, Vip6Key, Vlan, map,
};
use nix::unistd::Uid;
use serde::Serialize;

pub use self::inject::Injector;
use self::{
    kernel::{Chain, Program},
    paths::Path,
};
use super::{LEASE, Samples};
use crate::bpf::DataPath;

/// Virtual IPs of each family that the node has.
const SIZES: [u32; 2] = [1, 65_536];
/// Samples of each path, taken in turn with those of the empty program.
const SAMPLES: usize = 21;
/// Repetitions in a sample.
const REPEAT: u32 = 20_000;
/// Repetitions before the first sample.
const WARM_UP: u32 = 2_000;
/// Where test runs say that their frames come in: loopback.
const IFINDEX: u32 = 1;
const GROUP: u32 = 0;

/// The costs of all paths.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Release of the kernel.
    pub kernel: String,
    /// Repetitions of each path that were measured.
    pub repetitions: u32,
    /// One row for each path and number of virtual IPs.
    pub costs: Vec<Cost>,
}

/// What a path costs.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// The path.
    pub path: &'static str,
    /// Virtual IPs of each family in the maps.
    pub vips: u32,
    /// Nanoseconds for each frame beyond those of an empty program, median.
    pub nanoseconds: f64,
    /// How far apart the middle half of the samples is, nanoseconds.
    pub spread_nanoseconds: f64,
    /// The same for the empty program itself, with the frame's renewal: what was taken off.
    pub empty_nanoseconds: f64,
}

/// Measures every path of the data path in `object`.
///
/// # Errors
///
/// Without root, when the kernel refuses a program, and when a frame takes another path than the one
/// that is measured.
pub fn run(object: &[u8]) -> Result<Report> {
    ensure!(
        Uid::effective().is_root(),
        "measuring BPF programs takes root: run this with sudo"
    );
    let mut costs = Vec::new();
    for vips in SIZES {
        let node = node_with(object, vips)?;
        for path in paths::all() {
            let cost = measure(&node, &path, vips)
                .with_context(|| format!("{} with {vips} virtual IPs", path.name))?;
            costs.push(cost);
        }
        costs.extend(egress::costs(&node, vips)?);
    }
    Ok(Report {
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
            .trim()
            .to_owned(),
        repetitions: REPEAT * SAMPLES as u32,
        costs,
    })
}

/// The data path on a node that is Active for one group with so many virtual IPs.
fn node_with(object: &[u8], vips: u32) -> Result<DataPath> {
    let mut node = DataPath::load(object)?;
    node.grant(LEASE)?;
    let group = Group {
        word: RoleWord {
            role: Role::Active as u8,
            lease: 1,
            peer: 0,
            epoch: 1,
        },
        ifindex: IFINDEX,
        flags: GROUP_USED | GROUP_VIRTUAL_MAC,
        vrid: paths::VRID,
        priority: paths::PRIORITY,
        mac4: paths::MAC4,
        mac6: paths::MAC6,
        nic: paths::NIC,
        ..Group::default()
    };
    node.group()?.set(GROUP, group, 0)?;
    let key = RouterKey {
        ifindex: IFINDEX,
        ip: ROUTER_V4,
        vrid: paths::VRID,
        ..RouterKey::default()
    };
    let router = Router {
        group: GROUP,
        version: 3,
        flags: ROUTER_BY_ADDRESS,
        addr: paths::NODE4.to_ipv6_mapped().octets(),
        ..Router::default()
    };
    node.router()?.insert(key, router, 0)?;
    liveness::prepare(&mut node)?;
    let vip = Vip {
        group: GROUP,
        deliver: 0,
    };
    let vlan = Vlan::default();
    let numbers = || (0..vips).map(|number| number as u16);
    let mut vip4 = node.vip4()?;
    for number in numbers() {
        let addr = paths::vip4(number).octets();
        vip4.insert(Vip4Key { addr, vlan }, vip, 0)?;
    }
    let mut vip6 = node.vip6()?;
    for number in numbers() {
        let addr = paths::vip6(number).octets();
        vip6.insert(Vip6Key { addr, vlan }, vip, 0)?;
    }
    Ok(node)
}

fn measure(node: &DataPath, path: &Path, vips: u32) -> Result<Cost> {
    let data_path = Program::of(node.program(ha_common::abi::program::XDP)?.fd()?)?;
    let nothing = Program::load(&refill::nothing())?;
    let chain = Chain::of(&[&data_path, &nothing])?;
    // A power of two, so that one mask makes a random number the number of a virtual IP.
    let mask = vips - 1;
    let [through, beside] = [0, 1].map(|next| refill::program(&path.frame, mask, &chain, next));
    let (through, beside) = (Program::load(&through?)?, Program::load(&beside?)?);

    let counted = |node: &DataPath| match path.reason {
        Some(reason) => Ok(node.traffic(map::REASON, reason as u32)?.packets),
        None => anyhow::Ok(0),
    };
    let before = counted(node)?;
    through.run(&path.frame.octets, WARM_UP)?;
    let (mut costs, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let without = beside.run(&path.frame.octets, REPEAT)?;
        let with = through.run(&path.frame.octets, REPEAT)?;
        costs.push(with - without);
        empty.push(without);
    }
    if path.reason.is_some() {
        let expected = u64::from(WARM_UP + REPEAT * SAMPLES as u32);
        let counted = counted(node)? - before;
        ensure!(
            counted == expected,
            "only {counted} of {expected} frames took this path"
        );
    }
    let costs = Samples::new(costs);
    Ok(Cost {
        path: path.name,
        vips,
        nanoseconds: costs.median(),
        spread_nanoseconds: costs.spread() * costs.median(),
        empty_nanoseconds: Samples::new(empty).median(),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Nanoseconds for each frame, beyond an empty program; kernel {}, {} frames each\n",
            self.kernel, self.repetitions
        )?;
        writeln!(
            f,
            "{:<24}{:>12}{:>10}{:>10}",
            "path", "virtual IPs", "median", "spread"
        )?;
        for cost in &self.costs {
            writeln!(
                f,
                "{:<24}{:>12}{:>10.1}{:>10.1}",
                cost.path, cost.vips, cost.nanoseconds, cost.spread_nanoseconds
            )?;
        }
        Ok(())
    }
}
