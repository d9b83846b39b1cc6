//! Keeps the packages of daemons from starting them.
//!
//! Debian starts a daemon when its package is installed, and enables it for the next boot. The lab
//! starts its own in namespaces; one on the host would be a stranger in the user's network.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    command::{capture, find_program},
    privilege::Privilege,
};

/// Packages that bring a daemon, with the names of its units.
const DAEMONS: [(&str, &str); 2] = [("keepalived", "keepalived.service"), ("frr", "frr.service")];

/// The program that Debian's package scripts ask before they start a daemon; 101 forbids it.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Where the user's own one is kept meanwhile.
const SAVED: &str = "/usr/sbin/policy-rc.d.saved-by-xtask";
const FORBID: &str = "#!/bin/sh\n# Temporary, by `cargo xtask setup`: start no daemon.\nexit 101\n";

/// While it lives, packages start no daemon.
#[derive(Debug)]
pub(crate) struct NoServices {
    privilege: Privilege,
    restore: Restore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Restore {
    Remove,
    MoveBack,
}

impl NoServices {
    /// Puts the policy in place.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn enforce(privilege: Privilege) -> Result<Self> {
        // What an interrupted run left behind is not the user's.
        let ours = fs::read_to_string(POLICY).is_ok_and(|text| text == FORBID);
        if !ours && Path::new(POLICY).exists() {
            capture(privilege.command("mv").args([POLICY, SAVED]))?;
        }
        let restore = if Path::new(SAVED).exists() {
            Restore::MoveBack
        } else {
            Restore::Remove
        };
        // From here on the guard restores, also when the next step fails.
        let guard = Self { privilege, restore };
        let draft = draft_file();
        fs::write(&draft, FORBID).with_context(|| format!("cannot write {}", draft.display()))?;
        let installed = capture(
            privilege
                .command("install")
                .args(["-m", "755"])
                .arg(&draft)
                .arg(POLICY),
        );
        let _ = fs::remove_file(&draft);
        installed?;
        Ok(guard)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        let mut command = match self.restore {
            Restore::Remove => {
                let mut command = self.privilege.command("rm");
                command.args(["-f", POLICY]);
                command
            }
            Restore::MoveBack => {
                let mut command = self.privilege.command("mv");
                command.args(["-f", SAVED, POLICY]);
                command
            }
        };
        if let Err(error) = capture(&mut command) {
            eprintln!("setup: cannot restore {POLICY}: {error:#}");
        }
    }
}

fn draft_file() -> PathBuf {
    std::env::temp_dir().join(format!("policy-rc.d.{}", std::process::id()))
}

/// The units that came with `installed` and would start with the next boot.
pub(crate) fn units_of(installed: &[&str]) -> Vec<&'static str> {
    DAEMONS
        .iter()
        .filter(|(package, _)| installed.contains(package))
        .map(|(_, unit)| *unit)
        .collect()
}

/// Keeps `units` from starting with the next boot. Without systemd nothing starts them anyway.
///
/// # Errors
/// If systemd refuses.
pub(crate) fn disable(privilege: Privilege, units: &[&str]) -> Result<()> {
    if units.is_empty() || find_program("systemctl").is_none() {
        return Ok(());
    }
    let mut command: Command = privilege.command("systemctl");
    capture(command.args(["--quiet", "disable"]).args(units))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_units_of_installed_packages_are_disabled() {
        assert_eq!(units_of(&["ethtool", "frr"]), ["frr.service"]);
        assert!(units_of(&["ethtool"]).is_empty());
    }
}
