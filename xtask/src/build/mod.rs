//! `cargo xtask build`: the agent, and the BPF object that is embedded in it.

mod cargo;
mod object;
mod variant;

use std::path::PathBuf;

use anyhow::Result;

pub(crate) use self::cargo::{Profile, build};
use self::object::Summary;
use crate::setup::{self, Scope};

/// Where the agent's build script says which object the agent embeds.
const OBJECT_VARIABLE: &str = "HA_BPF_OBJECT";

/// The agent as it is among the tests. Cargo gives dependencies the features that all of a selection ask for, tests too,
/// and makes them anew for another selection: with one test beside the agent what was made for all tests serves.
const AMONG_TESTS: [&str; 5] = ["--workspace", "--bin", "ha-agent", "--test", "packet"];

/// Arguments of `cargo xtask build`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Optimise: what is installed, and what `demo` and `bench` run
    #[arg(long)]
    release: bool,
}

/// The agent as built.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The program.
    pub(crate) program: PathBuf,
    /// The BPF object that is embedded in it.
    pub(crate) object: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If the build fails.
pub(crate) fn run(args: &Args) -> Result<()> {
    let profile = if args.release {
        Profile::Release
    } else {
        Profile::Dev
    };
    let built = agent(profile)?;
    println!("agent:      {}", built.program.display());
    println!("BPF object: {}", built.object.display());
    println!("{}", Summary::of(&built.object)?);
    Ok(())
}

/// Builds the agent as [`agent`] does for use, and beside it those that the lab changes it for.
///
/// # Errors
/// If a build fails.
pub(crate) fn agent_with_variants(profile: Profile) -> Result<Agent> {
    setup::ensure(Scope::Build)?;
    let variants = variant::build_all()?;
    let agent = agent(profile)?;
    variant::put_beside(&agent.program, &variants)?;
    Ok(agent)
}

/// Builds the agent, after seeing to the toolchain.
///
/// # Errors
/// If the build fails.
pub(crate) fn agent(profile: Profile) -> Result<Agent> {
    setup::ensure(Scope::Build)?;
    let artifacts = match profile {
        Profile::Dev => build(profile, &AMONG_TESTS)?,
        Profile::Release => build(profile, &["--package", "ha-agent"])?,
    };
    Ok(Agent {
        program: artifacts.executable("ha-agent")?,
        object: artifacts.variable(OBJECT_VARIABLE)?.into(),
    })
}
