//! An agent that is told something else while it runs.

use std::{fs, net::IpAddr, time::Duration};

use anyhow::{Context, Result};

use super::Agent;
use crate::{command, node::INTERFACE};

/// What a reload of many addresses may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What has to stay of a group that nothing happens to.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its slot.
    pub id: u32,
    /// Its role.
    pub role: String,
    /// Its epoch.
    pub epoch: u32,
    /// Since when it has its role, seconds since 1970.
    pub since: Option<f64>,
    /// How many virtual IPs it has.
    pub vips: usize,
    /// The priority in force.
    pub priority: Option<u8>,
}

/// One more group, on the interface of all nodes.
#[must_use]
pub fn group(name: &str, vrid: u8, priority: u8, vips: &[IpAddr]) -> String {
    group_on(INTERFACE, name, vrid, priority, vips)
}

/// The same on another interface.
#[must_use]
pub fn group_on(interface: &str, name: &str, vrid: u8, priority: u8, vips: &[IpAddr]) -> String {
    let vips: Vec<_> = vips.iter().map(|vip| format!("\"{vip}\"")).collect();
    format!(
        "\n[[group]]\nname = \"{name}\"\ninterface = \"{interface}\"\nvips = [{}]\n\
         [group.election]\ntype = \"vrrp\"\nvrid = {vrid}\npriority = {priority}\n",
        vips.join(", ")
    )
}

impl Agent {
    /// Its configuration file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn file(&self) -> Result<String> {
        let file = self.file.display();
        fs::read_to_string(&self.file).with_context(|| format!("reading {file}"))
    }

    /// Writes another one. The agent does not know of it yet.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn rewrite(&self, text: &str) -> Result<()> {
        let file = self.file.display();
        fs::write(&self.file, text).with_context(|| format!("writing {file}"))
    }

    /// `ha-agent reload`; what it printed.
    ///
    /// # Errors
    ///
    /// When the file is wrong, or the agent refuses.
    pub fn reload(&self) -> Result<String> {
        self.run(&["reload"])
    }

    /// `ha-agent reload --dry-run`.
    ///
    /// # Errors
    ///
    /// As for [`Self::reload`].
    pub fn plan(&self, more: &[&str]) -> Result<String> {
        self.run(&[&["reload", "--dry-run"], more].concat())
    }

    /// `ha-agent vips add` or `del`.
    ///
    /// # Errors
    ///
    /// When the agent refuses.
    pub fn vips(&self, action: &str, vip: IpAddr) -> Result<String> {
        self.run(&["vips", action, super::GROUP, &vip.to_string()])
    }

    /// How one of its groups stands; `None` if it has none of this name.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn standing(&self, name: &str) -> Result<Option<Standing>> {
        let groups = self.status()?.groups.into_iter();
        let mut named = groups.filter(|group| group.name == name);
        Ok(named.next().map(|group| Standing {
            id: group.id,
            role: group.role,
            epoch: group.epoch,
            since: group.since,
            vips: group.vips,
            priority: group.priority,
        }))
    }

    /// The checksum of the file in force, and why the last reload failed, if it did.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn in_force(&self) -> Result<(String, Option<String>)> {
        let found = self.status()?.configuration;
        let found = found.context("the agent does not say what is in force")?;
        Ok((found.checksum, found.last_error))
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = std::process::Command::new(&self.program);
        command.arg("--socket").arg(&self.socket).args(arguments);
        command::run_within(&mut command, PATIENCE)
    }
}
