//! `cargo xtask load` and `unload`: the data path alone, to look at it with `bpftool`.

use std::net::IpAddr;

use anyhow::Result;

use crate::{
    build::{self, Profile},
    command,
    privilege::Privilege,
    setup::{self, Scope},
};

/// Arguments of `cargo xtask load`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The interface to attach to
    #[arg(long)]
    interface: String,
    /// A virtual IP to answer for; can be given several times
    #[arg(long = "vip", value_name = "ADDRESS")]
    vips: Vec<IpAddr>,
}

/// Builds the agent and lets it load, attach and pin the data path.
///
/// # Errors
/// If the build fails or the kernel refuses.
pub(crate) fn load(args: &Args) -> Result<()> {
    let vips = args
        .vips
        .iter()
        .flat_map(|vip| ["--vip".to_owned(), vip.to_string()]);
    let mut words = vec!["load".to_owned(), "--interface".to_owned()];
    words.push(args.interface.clone());
    words.extend(vips);
    agent(&words)
}

/// Takes away what [`load`] made.
///
/// # Errors
/// If the build fails or the kernel refuses.
pub(crate) fn unload() -> Result<()> {
    agent(&["unload".to_owned()])
}

fn agent(words: &[String]) -> Result<()> {
    setup::ensure(Scope::Lab)?;
    let agent = build::agent(Profile::Release)?;
    let mut command = Privilege::of_this_process().command(agent.program);
    command::run(command.args(words))
}
