//! The agent on a node.

mod config;
mod looks;
mod on_link;
mod orders;
mod reload;
mod status;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;

pub use self::{
    config::peer,
    on_link::OnLink,
    reload::{Standing, group, group_on},
    status::{Answers, BfdStatus, GuestStatus, RoundTrip, StaleSender, Way},
};
use self::{
    config::{common, config},
    status::Status,
};
use crate::{
    cluster::Service,
    command,
    daemon::Daemon,
    node::Node,
    under_test::{self, Variant},
};

/// The one group of the lab's configurations.
pub const GROUP: &str = "lab";

/// Its configuration, in the node's directory.
const CONFIG: &str = "ha-agent.toml";
/// Names the point at which a variant is to die.
const FAULT: &str = "HA_FAULT";
/// What a command of the agent may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agent, running on a node.
#[derive(Debug)]
pub struct Agent {
    daemon: Daemon,
    program: PathBuf,
    /// What it runs while nothing else is wanted.
    ordinary: PathBuf,
    /// The point of its start or of its work at which it dies by itself.
    fault: Option<&'static str>,
    socket: PathBuf,
    pins: PathBuf,
    /// Its configuration.
    file: PathBuf,
}

/// What an agent is told.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// What it serves.
    pub service: &'a Service,
    /// Its VRRP priority.
    pub priority: u8,
    /// More keys of its node, whole lines.
    pub node: String,
    /// More keys of the group, whole lines.
    pub group: String,
    /// More keys of its election, whole lines.
    pub election: String,
    /// More tables of the file.
    pub tables: String,
}

impl<'a> Setup<'a> {
    /// Nothing but a service.
    #[must_use]
    pub const fn new(service: &'a Service, priority: u8) -> Self {
        Self {
            service,
            priority,
            node: String::new(),
            group: String::new(),
            election: String::new(),
            tables: String::new(),
        }
    }
}

impl Agent {
    /// Starts it with this service as its only group.
    ///
    /// # Errors
    ///
    /// When its configuration cannot be written or it cannot be started.
    pub fn start(program: &Path, node: &Node, service: &Service, priority: u8) -> Result<Self> {
        Self::start_as(program, node, &Setup::new(service, priority))
    }

    /// Starts it with more than a service needs.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub fn start_as(program: &Path, node: &Node, setup: &Setup<'_>) -> Result<Self> {
        Self::start_with(program, node, &config(setup))
    }

    /// Starts it as the witness of these nodes, without a group.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub fn start_witness(program: &Path, node: &Node, of: &[Node]) -> Result<Self> {
        let peers: String = of
            .iter()
            .map(|other| peer(other, Duration::from_millis(10)))
            .collect();
        Self::start_with(program, node, &peers)
    }

    /// Starts it with what is not the same for each agent of a lab.
    fn start_with(program: &Path, node: &Node, rest: &str) -> Result<Self> {
        let socket = node.dir().join("agent.sock");
        let file = node.write(CONFIG, &(common(node, &socket) + rest))?;
        Ok(Self {
            daemon: run(program, node, None)?,
            program: program.to_owned(),
            ordinary: program.to_owned(),
            fault: None,
            socket,
            pins: node.pins().to_owned(),
            file,
        })
    }

    /// Starts it again on its node with the same file, after its process has ended.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_again(&mut self, node: &Node) -> Result<()> {
        self.daemon = run(&self.program, node, self.fault)?;
        Ok(())
    }

    /// Has its next start run one that was built otherwise, or the ordinary one again.
    pub fn change_program(&mut self, to: Option<Variant>) {
        self.program = to.map_or_else(
            || self.ordinary.clone(),
            |which| under_test::variant(&self.ordinary, which),
        );
    }

    /// Has what its next start runs die at this point, or nowhere. Only variants do.
    pub fn set_fault(&mut self, point: Option<&'static str>) {
        self.fault = point;
    }

    /// Its process.
    pub fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    fn status(&self) -> Result<Status> {
        Status::read(&self.command(&["status", "--json"])?)
    }

    fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.arg("--socket").arg(&self.socket).args(arguments);
        command::run_within(&mut command, PATIENCE)
    }
}

fn run(program: &Path, node: &Node, fault: Option<&str>) -> Result<Daemon> {
    let mut command = node.namespace().command(program)?;
    if let Some(point) = fault {
        command.env(FAULT, point);
    }
    command.arg("run").arg("--config");
    command.arg(node.dir().join(CONFIG));
    Daemon::start("ha-agent", command, &node.dir().join("ha-agent.log"))
}
