//! `cargo xtask setup`: from a machine with stable Rust and git to one where everything builds and
//! runs.
//!
//! It looks first, says what it is going to do, does it, and looks again: what counts is what is
//! there, not what a package manager reported. A second run finds nothing to do.

mod actions;
mod apt;
mod bpffs;
mod facts;
mod packages;
mod plan;
mod probe;
mod services;
mod toolchain;

use anyhow::{Result, bail};

use self::{apt::Apt, facts::Facts, plan::Plan};
use crate::privilege::Privilege;

/// Arguments of `cargo xtask setup`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only what `cargo build` needs, not the lab's programs
    #[arg(long)]
    build_only: bool,
}

/// What a command is going to need; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The BPF compiler and its linker.
    Build,
    /// What tests, demo and benchmarks run, and bpffs.
    Lab,
    /// What boots virtual machines.
    Machines,
    /// Tools for looking around, and peers to try by hand.
    Everything,
}

/// Runs the command.
///
/// # Errors
/// If something is missing and could not be installed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let scope = if args.build_only {
        Scope::Build
    } else {
        Scope::Everything
    };
    ensure(scope)?;
    let facts = Facts::survey(scope)?;
    if let Some((compiler, linker)) = facts.compiler.as_ref().zip(facts.linker.as_ref()) {
        println!(
            "BPF compiler: {} ({}, LLVM {})",
            compiler.rustc().display(),
            compiler.version.release,
            compiler.version.llvm
        );
        println!("BPF linker: {}", linker.display());
    }
    println!("Everything is there.");
    Ok(())
}

/// Sees to it that what `scope` needs is there; says nothing if it is.
///
/// # Errors
/// If something is missing and could not be installed. What to do by hand has been printed.
pub(crate) fn ensure(scope: Scope) -> Result<()> {
    let facts = Facts::survey(scope)?;
    if facts.is_complete() {
        return Ok(());
    }
    let privilege = Privilege::of_this_process();
    let apt = Apt::of_this_machine(privilege);
    let wanted = plan::wanted(&facts);
    let offered = match apt {
        Some(apt) => apt.offered(&wanted)?,
        None => Vec::new(),
    };
    let plan = Plan::new(&facts, &offered);
    eprint!("setup is going to\n{plan}");
    let failures = actions::carry_out(&plan, privilege, apt);
    if Facts::survey(scope)?.is_complete() {
        return Ok(());
    }
    for failure in &failures {
        eprintln!("\n{failure}");
    }
    bail!("setup is not complete: do by hand what is listed above, then try again");
}
