//! The application behind the virtual IPs, as far as failover programs watch it: a process, and a file with
//! its number.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{daemon::Daemon, node::Node};

/// What checks call it.
const CHECK: &str = "application";

/// A process on a node that does nothing but live.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) daemon: Daemon,
}

impl Application {
    /// Starts it.
    pub(crate) fn start(node: &Node) -> Result<Self> {
        let mut command = node.namespace().command("sleep")?;
        command.arg("infinity");
        let log = node.dir().join("application.log");
        let daemon = Daemon::start(CHECK, command, &log)?;
        let file = pid_file(node);
        fs::write(&file, format!("{}\n", daemon.id()))
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(Self { daemon })
    }
}

/// The key of the agent's group that makes it depend on the application.
pub(crate) fn track() -> String {
    format!("track = [{{ check = \"{CHECK}\" }}]\n")
}

/// The agent's check of it.
pub(crate) fn check(node: &Node) -> String {
    format!(
        "[[check]]\nname = \"{CHECK}\"\ntype = \"process\"\npid_file = \"{}\"\n",
        pid_file(node).display()
    )
}

/// The file with its number.
pub(crate) fn pid_file(node: &Node) -> PathBuf {
    node.dir().join("application.pid")
}
