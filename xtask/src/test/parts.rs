//! The parts of the tests, and the commands of each.

use std::{fmt, path::PathBuf, process::Command};

use anyhow::Result;
use clap::ValueEnum;
use ha_lab::vm::{self, Kernel};

use crate::{
    build::{self, Agent, Profile},
    privilege::Privilege,
    setup::{self, Scope},
    test::programs,
    workspace,
};

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Formatting and clippy, without a warning
    Lint,
    /// What needs neither root nor a kernel: protocols, configuration, packets, simulations
    Unit,
    /// The packet programs in the kernel, frame by frame, and the same source on the host
    Fixtures,
    /// Real agents in network namespaces, and failures
    Lab,
    /// Virtual IPs of virtual machines and containers: short, or with streams of 100 MB and a machine in qemu if
    /// this is named
    LabGuests,
    /// `ha-agent doctor` on hosts that are wrong in one way after the other
    Doctor,
    /// The agent inside virtual machines with Debian's kernel: a NIC, VLANs, a bond; only if this is named
    Vm,
    /// The agent beside keepalived and FRR: two cases, or all of them if this is named
    InteropVrrp,
    /// The agent beside FRR's BFD: two cases, or all of them if this is named
    InteropBfd,
}

impl Part {
    /// What is run if nothing is named, cheapest first: all but the virtual machines.
    pub(crate) const ALL: [Self; 8] = [
        Self::Lint,
        Self::Unit,
        Self::Fixtures,
        Self::Lab,
        Self::LabGuests,
        Self::Doctor,
        Self::InteropVrrp,
        Self::InteropBfd,
    ];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lint => "lint",
            Self::Unit => "unit tests",
            Self::Fixtures => "packet fixtures",
            Self::Lab => "lab scenarios",
            Self::LabGuests => "guests",
            Self::Doctor => "the doctor",
            Self::Vm => "virtual machines",
            Self::InteropVrrp => "VRRP with others",
            Self::InteropBfd => "BFD with FRR",
        })
    }
}

/// How the parts are run.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// How tests that need root get it.
    pub(crate) privilege: Privilege,
    /// Parts of the names of the tests to run; empty for all.
    pub(crate) names: &'a [String],
    /// Whether only a few of what takes long are run.
    pub(crate) is_short: bool,
}

impl Plan<'_> {
    /// The commands of `part`.
    ///
    /// # Errors
    /// If a program that the tests run cannot be built.
    pub(crate) fn commands(&self, part: Part) -> Result<Vec<Command>> {
        Ok(match part {
            Part::Lint => vec![
                cargo(&["fmt", "--all", "--check"]),
                cargo(&[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "--deny",
                    "warnings",
                ]),
            ],
            Part::Unit => vec![self.unit()?, self.test(&["--doc"], &[])],
            Part::Fixtures => vec![self.test_as_root(&programs::FIXTURES, &[])],
            Part::Lab => {
                let agent = build::agent_with_variants(Profile::Dev)?;
                vec![
                    self.lab(&programs::LAB, &agent, ALONE),
                    self.lab(&programs::PATIENT, &agent, SIDE_BY_SIDE),
                ]
            }
            Part::LabGuests => vec![self.guests()?],
            Part::Doctor => {
                vec![self.lab(&[programs::DOCTOR], &build::agent(Profile::Dev)?, ALONE)]
            }
            Part::Vm => vec![self.machines()?],
            Part::InteropVrrp => vec![self.interop(programs::INTEROP_VRRP, FEW_VRRP_CASES)?],
            Part::InteropBfd => vec![self.interop(programs::INTEROP_BFD, FEW_BFD_CASES)?],
        })
    }

    /// In the whole of the tests there are no virtual machines, and the streams are short.
    fn guests(&self) -> Result<Command> {
        let agent = build::agent(Profile::Dev)?;
        let mut harness = self.harness(ALONE);
        if self.is_short {
            harness.extend(["--skip", "virtual_machine"]);
        } else {
            prepare_machines("vm_guest")?;
        }
        let mut command = self.test_as_root(&programs::GUESTS, &harness);
        command.env("HA_AGENT_BIN", agent.program);
        command.env(vm::VARIABLE, machines());
        if self.is_short {
            command.env("HA_GUEST_STREAM_MB", "5");
        }
        Ok(command)
    }

    fn machines(&self) -> Result<Command> {
        let agent = build::agent(Profile::Release)?;
        prepare_machines("vm_node")?;
        let harness = [ALONE, "--nocapture"];
        let mut command = self.test_as_root(&programs::VM, &harness);
        command.env("HA_AGENT_BIN", agent.program);
        command.env(vm::VARIABLE, machines());
        Ok(command)
    }

    fn unit(&self) -> Result<Command> {
        let programs = programs::without_root()?;
        let mut selection = vec!["--lib", "--bins"];
        for program in &programs {
            selection.extend(["--test", program]);
        }
        Ok(self.test(&selection, &[]))
    }

    /// What takes root, an agent, and its time.
    fn lab(&self, programs: &[&str], agent: &Agent, threads: &'static str) -> Command {
        let mut command = self.test_as_root(programs, &self.harness(threads));
        command.env("HA_AGENT_BIN", &agent.program);
        command
    }

    /// So many labs at a time; where all parts are run without what takes long.
    fn harness(&self, threads: &'static str) -> Vec<&'static str> {
        let mut harness = vec![threads];
        if self.is_short {
            harness.extend(programs::LONG.iter().flat_map(|name| ["--skip", *name]));
        }
        harness
    }

    /// The names are those of cases here: the whole table is one test.
    fn interop(&self, program: &str, few: &str) -> Result<Command> {
        let agent = build::agent(Profile::Dev)?;
        let cases = match self.names {
            [] if self.is_short => few.to_owned(),
            names => names.join(","),
        };
        let mut plan = Self {
            names: &[],
            ..*self
        }
        .test_as_root(&[program], &["--nocapture"]);
        plan.env("HA_AGENT_BIN", agent.program);
        plan.env("HA_INTEROP_CASES", cases);
        Ok(plan)
    }

    /// Test programs that need root: cargo builds them as the user, sudo runs them.
    fn test_as_root(&self, programs: &[&str], harness: &[&str]) -> Command {
        let mut selection = Vec::new();
        for program in programs {
            selection.extend(["--test", program]);
        }
        match self.privilege {
            Privilege::Root | Privilege::None => {}
            Privilege::Sudo => selection.extend(["--config", SUDO_RUNNER]),
        }
        self.test(&selection, harness)
    }

    /// Always of the whole workspace: cargo would build dependencies anew for another selection.
    fn test(&self, selection: &[&str], harness: &[&str]) -> Command {
        let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
        command.args(selection).arg("--").args(harness);
        command.args(self.names);
        command
    }
}

/// One lab at a time: it measures.
const ALONE: &str = "--test-threads=1";
/// A few at a time, which mostly wait.
const SIDE_BY_SIDE: &str = "--test-threads=3";

/// Where the kernel of virtual machines is.
fn machines() -> PathBuf {
    workspace::root().join("target/vm")
}

/// Sees to it that there are qemu, a kernel, and what the machines serve with.
fn prepare_machines(service: &str) -> Result<()> {
    setup::ensure(Scope::Machines)?;
    Kernel::fetch(&machines())?;
    let example = ["--package", "ha-lab", "--example", service];
    build::build(Profile::Release, &example)?;
    Ok(())
}

/// One of each maker's, in either role.
const FEW_VRRP_CASES: &str = "keepalived-ours,frr-theirs";
/// Timers and failures in one, and echo packets.
const FEW_BFD_CASES: &str = "hang-frr-v4,echo-v6";

/// Makes cargo run what it built with sudo, in the environment of the user.
const SUDO_RUNNER: &str = "target.'cfg(all())'.runner=['sudo', '-n', '-E']";

fn cargo(arguments: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::shown;

    fn fixtures(privilege: Privilege) -> String {
        let names = ["arp".to_owned()];
        let plan = Plan {
            privilege,
            names: &names,
            is_short: true,
        };
        shown(&plan.commands(Part::Fixtures).unwrap()[0])
    }

    #[test]
    fn names_choose_among_the_tests() {
        let command = fixtures(Privilege::Root);
        assert!(
            command.ends_with("--workspace --no-fail-fast --test fixtures -- arp"),
            "{command}"
        );
    }

    #[test]
    fn without_root_only_the_tests_are_run_with_sudo() {
        let command = fixtures(Privilege::Sudo);
        assert!(command.contains("--config"), "{command}");
        assert!(!command.starts_with("sudo"), "{command}");
    }
}
