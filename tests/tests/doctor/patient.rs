//! A host of the lab as the doctor wants it, and what the doctor says of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use ha_agent::doctor::{CHECKS, Shown};
use ha_lab::{command, lab::Lab, netns::NetNs};
use serde::Deserialize;

/// What a command of the doctor may take, and how long a host may take to be well again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the doctor's host needs that hosts do not have by themselves.
const MEDICINE: &[&str] = &[
    "sysctl -qw net.ipv4.conf.all.arp_ignore=1",
    "sysctl -qw net.ipv4.conf.all.arp_announce=2",
    "sysctl -qw net.ipv6.ip_nonlocal_bind=1",
    "ethtool -K eth0 tx off rxvlan off",
    // A cable to itself: other interfaces, and one on which more can go wrong.
    "ip link add v0 numrxqueues 4 numtxqueues 4 type veth peer name v1 numrxqueues 4 numtxqueues 4",
    "ethtool -K v0 tx off",
    "ethtool -K v1 tx off",
    "ip link set dev v1 up",
    "ip link set dev v0 up",
];

/// Node a.
pub(crate) struct Patient<'a> {
    pub(crate) lab: &'a Lab,
    program: PathBuf,
    config: PathBuf,
}

/// What the doctor said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) check: String,
    pub(crate) subject: String,
    pub(crate) level: String,
    pub(crate) seen: String,
    pub(crate) meaning: String,
    pub(crate) mend: String,
}

#[derive(Debug, Deserialize)]
struct Report {
    level: String,
    findings: Vec<Finding>,
}

impl<'a> Patient<'a> {
    /// As the doctor wants it, to be looked at with this configuration.
    pub(crate) fn new(lab: &'a Lab, program: &Path, config: PathBuf) -> Self {
        Self {
            lab,
            program: program.to_owned(),
            config,
        }
    }

    /// Gives the host what it needs.
    pub(crate) fn treat(&self) -> Result<()> {
        self.run(MEDICINE)
    }

    pub(crate) fn namespace(&self) -> &NetNs {
        self.lab.node(0).namespace()
    }

    /// Runs shell commands on the host.
    pub(crate) fn run(&self, lines: &[&str]) -> Result<()> {
        for line in lines {
            let mut shell = self.namespace().command("sh")?;
            command::run(shell.args(["-c", line])).with_context(|| format!("running {line:?}"))?;
        }
        Ok(())
    }

    /// Has the doctor look; `through` is a shell script that runs `"$@"` in its own way.
    pub(crate) fn examine(&self, through: &str) -> Result<Said> {
        let mut shell: Command = self.namespace().command("sh")?;
        shell.args(["-c", through, "sh"]).arg(&self.program);
        shell
            .args(["doctor", "--json", "--config"])
            .arg(&self.config);
        let output = shell.output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let report: Report = serde_json::from_str(&printed)
            .with_context(|| format!("{printed}{}", String::from_utf8_lossy(&output.stderr)))?;
        let status = output.status.code();
        let expected = match report.level.as_str() {
            "ok" => Some(0),
            "warning" => Some(1),
            _ => Some(2),
        };
        assert_eq!(status, expected, "{report:?}");
        Ok(Said {
            status,
            findings: report.findings,
        })
    }

    /// Waits until the doctor finds nothing wrong, but with what is the machine's.
    pub(crate) fn is_well(&self) -> Result<Said> {
        let begun = Instant::now();
        loop {
            let said = self.examine("exec \"$@\"")?;
            let wrong: Vec<_> = said.wrong().collect();
            if wrong.is_empty() {
                return Ok(said);
            }
            assert!(begun.elapsed() < PATIENCE, "still wrong: {wrong:#?}");
            sleep(Duration::from_millis(100));
        }
    }
}

impl Said {
    /// What is wrong, but with what is the machine's and no lab's.
    pub(crate) fn wrong(&self) -> impl Iterator<Item = &Finding> {
        let of_lab = |finding: &&Finding| {
            let mut checks = CHECKS.iter();
            let check = checks.find(|check| check.name == finding.check);
            check.expect("a check of this name").shown == Shown::Lab
        };
        let wrong = |finding: &&Finding| finding.level != "ok";
        self.findings.iter().filter(wrong).filter(of_lab)
    }

    /// What is wrong by this check.
    pub(crate) fn of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.wrong().filter(move |finding| finding.check == check)
    }
}
