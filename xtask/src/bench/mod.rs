//! `cargo xtask bench`: what a failover and a packet cost.

mod flip;
mod trace;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::{
    build::{self, Profile},
    command,
    privilege::Privilege,
    setup::{self, Scope},
};

/// The benchmarks.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Bench {
    /// Frames a second and cost of each to the local stack, to guests and on to a peer, beside the kernel's bridge and
    /// routing
    Deliver {
        /// Print the numbers as JSON
        #[arg(long)]
        json: bool,
    },
    /// How long it takes to move a group of 1 and of 65,536 virtual IPs, and with which system calls
    Flip,
    /// 255 groups on a busy machine: changes of role, processor time and memory, beside keepalived
    Groups {
        /// How long to look on
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
        /// Print the numbers as JSON
        #[arg(long)]
        json: bool,
    },
    /// Two living nodes that probe each other each 3 ms, on a busy machine: who is taken for dead, beside
    /// keepalived
    Liveness {
        /// How long to look on
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
        /// Print the numbers as JSON
        #[arg(long)]
        json: bool,
    },
    /// What each path of a packet costs beside an empty program, with 1 and with 65,536 virtual IPs
    Packet {
        /// Print the numbers as JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs a benchmark.
///
/// # Errors
/// If it cannot be run, or its result is not what is promised.
pub(crate) fn run(bench: Bench) -> Result<()> {
    setup::ensure(Scope::Lab)?;
    let privilege = Privilege::of_this_process();
    match bench {
        Bench::Deliver { json } => print(privilege, "deliver", json),
        Bench::Flip => flip::run(privilege),
        Bench::Groups { seconds, json } => look_on(privilege, "groups", seconds, json),
        Bench::Liveness { seconds, json } => look_on(privilege, "liveness", seconds, json),
        Bench::Packet { json } => print(privilege, "packet", json),
    }
}

/// Runs a benchmark that only prints its numbers.
fn print(privilege: Privilege, name: &str, json: bool) -> Result<()> {
    let mut command = privilege.command(program(name)?);
    command.args(json.then_some("--json"));
    command::run(&mut command)
}

/// Runs a benchmark that looks on while agents run.
fn look_on(privilege: Privilege, name: &str, seconds: u32, json: bool) -> Result<()> {
    let agent = build::agent(Profile::Release)?.program;
    let mut command = privilege.command(program(name)?);
    command.arg(agent).arg(seconds.to_string());
    command.args(json.then_some("--json"));
    command::run(&mut command)
}

/// Builds the benchmark of this name.
fn program(name: &str) -> Result<PathBuf> {
    build::build(
        Profile::Release,
        &["--package", "ha-lab", "--example", name],
    )?
    .executable(name)
}
