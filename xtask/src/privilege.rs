//! How a command that needs root is run.

use std::{
    ffi::OsStr,
    process::{Command, Stdio},
};

use nix::unistd::geteuid;

use crate::command::find_program;

/// How this process can become root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// It is.
    Root,
    /// `sudo -n`, which asks for no password.
    Sudo,
    /// Not without asking somebody.
    None,
}

impl Privilege {
    /// What this process has.
    pub(crate) fn of_this_process() -> Self {
        if geteuid().is_root() {
            return Self::Root;
        }
        let sudo_works = find_program("sudo").is_some()
            && Command::new("sudo")
                .args(["-n", "true"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        if sudo_works { Self::Sudo } else { Self::None }
    }

    /// The command that runs `program` as root. Without privilege it is the command that the user
    /// should run by hand.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Root => Command::new(program),
            Self::Sudo => {
                let mut command = Command::new("sudo");
                command.arg("-n").arg(program);
                command
            }
            Self::None => {
                let mut command = Command::new("sudo");
                command.arg(program);
                command
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::shown;

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(shown(&Privilege::Root.command("true")), "true");
        assert_eq!(shown(&Privilege::Sudo.command("true")), "sudo -n true");
        assert_eq!(shown(&Privilege::None.command("true")), "sudo true");
    }
}
