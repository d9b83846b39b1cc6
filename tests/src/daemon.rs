//! A long-running program on a node: start, stop, kill, freeze.

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

/// A running program, whose output goes to a file. Killed on drop.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a program; what it prints is appended to `log`.
    ///
    /// # Errors
    ///
    /// When the log cannot be written or the program cannot be started.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening {}", log.display()))?;
        // A group of its own: a signal reaches the program's children too, and the terminal's
        // Ctrl-C, which is for the lab, does not reach it.
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| {
                let program = command.get_program().to_string_lossy();
                format!("cannot start {name} (`{program}`): is it built or installed?")
            })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Its process, which leads a group of its own.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    ///
    /// When it is still there after `limit`.
    pub fn stop(&mut self, limit: Duration) -> Result<()> {
        self.end_by(Signal::SIGTERM, limit)
    }

    /// Asks it to make way for the next one (SIGUSR2) and waits.
    ///
    /// # Errors
    ///
    /// As for [`Daemon::stop`].
    pub fn hand_over(&mut self, limit: Duration) -> Result<()> {
        self.end_by(Signal::SIGUSR2, limit)
    }

    /// Has it read its configuration again (SIGHUP).
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn reload(&mut self) -> Result<()> {
        self.signal(Signal::SIGHUP)
    }

    fn end_by(&mut self, signal: Signal, limit: Duration) -> Result<()> {
        self.signal(signal)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > limit {
                bail!("{} did not end within {limit:?} of {signal}", self.name);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Kills it (SIGKILL), as a crash would.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it has ended as if it had been killed.
    ///
    /// # Errors
    ///
    /// When it is still there after `limit`, or has ended otherwise.
    pub fn await_kill(&mut self, limit: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.signal() == Some(Signal::SIGKILL as i32) => return Ok(()),
                Some(status) => bail!(
                    "{} ended otherwise ({status}); its last words:\n{}",
                    self.name,
                    self.last_words()
                ),
                None if begun.elapsed() > limit => {
                    bail!(
                        "{} lives on; its last words:\n{}",
                        self.name,
                        self.last_words()
                    )
                }
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Stops its threads where they are (SIGSTOP), as a hang would.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on after [`Daemon::freeze`] (SIGCONT).
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub fn thaw(&mut self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// The error for a program that has ended although nobody asked it to.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub fn expect_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "{} ended by itself ({status}); its last words:\n{}",
                self.name,
                self.last_words()
            ),
        }
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn signal(&mut self, signal: Signal) -> Result<()> {
        self.expect_running()?;
        signal::killpg(self.group(), signal)
            .with_context(|| format!("sending {signal} to {}", self.name))
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails only if it has ended, which is what is wanted.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = signal::killpg(self.group(), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
