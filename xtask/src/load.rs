//! `cargo xtask load` and `unload`: the data path alone, to look at it with `bpftool`.

use std::num::NonZeroU8;

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
    /// A virtual IP to answer for, or a range as first-last; can be given several times
    #[arg(long = "vip", value_name = "ADDRESS", required = true)]
    vips: Vec<String>,
    /// Answer with the virtual MACs of this virtual router id [default: with the interface's own MAC]
    #[arg(long)]
    vrid: Option<NonZeroU8>,
    /// Attach in generic mode, for drivers without XDP
    #[arg(long)]
    generic: bool,
}

impl Args {
    /// What the agent is given.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["load".to_owned(), format!("--interface={}", self.interface)];
        words.extend(self.vips.iter().map(|vip| format!("--vip={vip}")));
        words.extend(self.vrid.map(|vrid| format!("--vrid={vrid}")));
        words.extend(self.generic.then(|| "--generic".to_owned()));
        words
    }
}

/// Builds the agent and lets it load, attach and pin the data path. It prints how to look at it.
///
/// # Errors
/// If the build fails or the kernel refuses.
pub(crate) fn load(args: &Args) -> Result<()> {
    agent(&args.words())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_reaches_the_agent() {
        let args = Args {
            interface: "eth0".to_owned(),
            vips: vec!["192.0.2.1-192.0.2.9".to_owned(), "2001:db8::1".to_owned()],
            vrid: NonZeroU8::new(51),
            generic: true,
        };
        assert_eq!(
            args.words().join(" "),
            "load --interface=eth0 --vip=192.0.2.1-192.0.2.9 --vip=2001:db8::1 --vrid=51 --generic"
        );
    }
}
