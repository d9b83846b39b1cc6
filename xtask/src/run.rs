//! `cargo xtask run`: builds the agent and runs it as root.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{
    build::{self, Profile},
    command::shown,
    privilege::Privilege,
};

/// Arguments of `cargo xtask run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Build without optimisation, which is quicker
    #[arg(long)]
    dev: bool,
    /// What the agent is given, for example `run --config ha.toml`
    #[arg(last = true)]
    agent: Vec<OsString>,
}

/// Runs the command. This process becomes the agent, so that signals and the exit status are its own.
///
/// # Errors
/// If the build fails or the agent cannot be started.
pub(crate) fn run(args: &Args) -> Result<()> {
    let profile = if args.dev {
        Profile::Dev
    } else {
        Profile::Release
    };
    let agent = build::agent(profile)?;
    let mut command = Privilege::of_this_process().command(agent.program);
    command.args(&args.agent);
    eprintln!("$ {}", shown(&command));
    Err(command.exec()).with_context(|| format!("cannot start `{}`", shown(&command)))
}
