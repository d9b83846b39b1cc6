//! Debian's package manager.

use std::process::Command;

use anyhow::{Result, bail};

use crate::{
    command::{capture, find_program, run},
    privilege::Privilege,
    setup::services::{self, NoServices},
};

/// The package manager, run with the privilege to change the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apt {
    privilege: Privilege,
}

impl Apt {
    /// The machine's, if it has one.
    pub(crate) fn of_this_machine(privilege: Privilege) -> Option<Self> {
        find_program("apt-get").map(|_| Self { privilege })
    }

    /// Which of `packages` can be installed. Fetches the package lists only if one is unknown.
    ///
    /// # Errors
    /// If the package lists cannot be read.
    pub(crate) fn offered<'a>(self, packages: &[&'a str]) -> Result<Vec<&'a str>> {
        let offered = Self::known(packages)?;
        if offered.len() == packages.len() || self.privilege == Privilege::None {
            return Ok(offered);
        }
        if let Err(error) = self.update() {
            // Without network the lists that are there still count.
            eprintln!("setup: {error:#}");
        }
        Self::known(packages)
    }

    fn known<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
        let policy = capture(
            Command::new("apt-cache")
                .arg("policy")
                .args(packages)
                .env("LC_ALL", "C"),
        )?;
        Ok(packages
            .iter()
            .copied()
            .filter(|package| has_candidate(&policy, package))
            .collect())
    }

    /// Fetches the package lists.
    fn update(self) -> Result<()> {
        run(self
            .privilege
            .command("apt-get")
            .args(["--quiet", "update"]))
    }

    /// Installs `packages` without asking and without starting what they bring. Lists that are
    /// older than the archive are fetched anew, once.
    ///
    /// # Errors
    /// If a package cannot be installed.
    pub(crate) fn install(self, packages: &[&str]) -> Result<()> {
        if self.privilege == Privilege::None {
            bail!("neither root nor a sudo that asks for no password");
        }
        let _quiet = NoServices::enforce(self.privilege)?;
        if run(&mut self.install_command(packages)).is_err() {
            self.update()?;
            run(&mut self.install_command(packages))?;
        }
        services::disable(self.privilege, &services::units_of(packages))
    }

    fn install_command(self, packages: &[&str]) -> Command {
        let mut command = self.privilege.command("env");
        command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install"])
            .args(["--quiet", "--yes", "--no-install-recommends"])
            .args(["-o", "Dpkg::Use-Pty=0"])
            // Another package manager may be at work: wait for it.
            .args(["-o", "DPkg::Lock::Timeout=300"])
            .args(packages);
        command
    }
}

/// What a user types to install `packages`.
pub(crate) fn by_hand(packages: &[&str]) -> String {
    format!(
        "sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}

/// Whether the output of `apt-cache policy` names a version of `package` to install. It says
/// nothing at all about a name that it has never heard of.
fn has_candidate(policy: &str, package: &str) -> bool {
    let heading = format!("{package}:");
    policy
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        .filter_map(|line| line.trim().strip_prefix("Candidate:"))
        .any(|candidate| candidate.trim() != "(none)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
ethtool:
  Installed: (none)
  Candidate: 1:6.1-1
  Version table:
     1:6.1-1 500
        500 http://archive.example/debian bookworm/main amd64 Packages
rustc-web:
  Installed: 1.85.0
  Candidate: (none)
  Version table:
frr:
  Installed: 8.4.4-1
  Candidate: 8.4.4-2
";

    #[test]
    fn candidates_are_read_from_the_policy() {
        assert!(has_candidate(POLICY, "ethtool"));
        assert!(has_candidate(POLICY, "frr"));
        assert!(!has_candidate(POLICY, "rustc-web"), "known but not offered");
        assert!(!has_candidate(POLICY, "unheard-of"));
        assert!(!has_candidate(POLICY, "tool"), "only whole names");
    }

    #[test]
    fn the_command_by_hand_is_one_line() {
        assert_eq!(
            by_hand(&["frr", "bpftool"]),
            "sudo apt-get install --no-install-recommends frr bpftool"
        );
    }
}
