//! What tests could leave in the system: namespaces, pins, files and processes.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::privilege::Privilege;

/// Environment variable by which a process of the tests is known, whatever became of its parents.
pub(crate) const MARK: &str = "HA_XTASK_TEST";
/// Where an agent pins unless told otherwise, below the BPF file system.
const PINS: &str = "ha";
/// How long processes may take to end after the tests have.
const GRACE: Duration = Duration::from_secs(3);

/// The value of [`MARK`] for processes of this run.
pub(crate) fn mark() -> String {
    std::process::id().to_string()
}

/// Namespaces, pins and directories of labs that are there now.
#[derive(Debug)]
pub(crate) struct Traces(BTreeSet<PathBuf>);

impl Traces {
    /// Looks.
    ///
    /// # Errors
    /// If `find` cannot be started.
    pub(crate) fn now(privilege: Privilege) -> Result<Self> {
        let places = [
            "/run/netns".into(),
            "/sys/fs/bpf".into(),
            std::env::temp_dir(),
        ];
        // Ends with 1 if a place does not exist, which is fine.
        let output = privilege
            .command("find")
            .args(places)
            .args(["-mindepth", "1", "-maxdepth", "1"])
            .args(["(", "-name", PINS, "-o", "-name", "ha-*", ")"])
            .output()
            .context("cannot start `find`")?;
        let found = String::from_utf8_lossy(&output.stdout);
        Ok(Self(found.lines().map(PathBuf::from).collect()))
    }

    /// What was not there `before` and belongs to no living process. Names without a process id,
    /// but the agent's own, were given by somebody at work on the same machine.
    fn new_since<'a>(&'a self, before: &Self) -> Vec<&'a Path> {
        self.0
            .iter()
            .filter(|path| !before.0.contains(*path))
            .map(PathBuf::as_path)
            .filter(|path| match owner(path) {
                Some(process) => !is_alive(process),
                None => path.ends_with(PINS),
            })
            .collect()
    }
}

/// The process whose id is in the name, as in `ha-lab-4711-0-switch`.
fn owner(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.split('-').find_map(|word| word.parse().ok())
}

fn is_alive(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

/// Fails if something is there that was not there `before` the tests.
///
/// # Errors
/// With what was left behind.
pub(crate) fn check(privilege: Privilege, before: &Traces) -> Result<()> {
    let begun = Instant::now();
    loop {
        let processes = marked_processes(privilege)?;
        let after = Traces::now(privilege)?;
        let left = after.new_since(before);
        if processes.is_empty() && left.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > GRACE {
            let left = left.iter().map(|path| path.display().to_string());
            bail!(
                "the tests left behind: {}",
                processes
                    .into_iter()
                    .chain(left)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Processes that carry the mark of this run, each with its command line.
fn marked_processes(privilege: Privilege) -> Result<Vec<String>> {
    let pattern = format!("{MARK}={}", mark());
    let mut command: Command = privilege.command("sh");
    command
        .args(["-c", "grep --text --files-with-matches --no-messages --word-regexp -- \"$1\" /proc/[0-9]*/environ", "sh"])
        .arg(pattern);
    let output = command.output().context("cannot start `grep`")?;
    Ok(String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|environment| Path::new(environment).parent().map(describe))
        .collect())
}

fn describe(process: &Path) -> String {
    let words = std::fs::read_to_string(process.join("cmdline")).unwrap_or_default();
    let pid = process.file_name().unwrap_or_default().to_string_lossy();
    format!("process {pid} ({})", words.replace('\0', " ").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(paths: &[&str]) -> Traces {
        Traces(paths.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn what_was_there_before_and_what_others_use_does_not_count() {
        let alive = format!("/run/netns/ha-lab-{}-0-switch", std::process::id());
        let before = traces(&["/run/netns/ha-lab-4194305-0-b"]);
        // Process ids end at 4194304 (`PID_MAX_LIMIT`).
        let dead = "/run/netns/ha-lab-4194305-0-a";
        let pins = "/sys/fs/bpf/ha";
        let somebodys = "/run/netns/ha-trial";
        let after = traces(&[
            "/run/netns/ha-lab-4194305-0-b",
            &alive,
            dead,
            pins,
            somebodys,
        ]);
        let left = after.new_since(&before);
        assert_eq!(left, [Path::new(dead), Path::new(pins)]);
    }

    #[test]
    fn a_marked_process_is_found() {
        let mut child = Command::new("sleep")
            .arg("60")
            .env(MARK, mark())
            .spawn()
            .unwrap();
        let found = marked_processes(Privilege::Root).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(
            found
                .iter()
                .any(|process| process.contains(&child.id().to_string())),
            "{found:?}"
        );
    }
}
