//! Commands over a machine's serial line.
//!
//! The machine's first program reads a line, runs it, and says that it has, with the exit code. There is no prompt and
//! no echo.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
    process::{ChildStdin, ChildStdout},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// What the machine says when it is up.
const READY: &str = "=== ready ===";
/// What it says after a command, before the exit code.
const DONE: &str = "=== done ";

/// The machine's first program.
pub(super) fn init(modules: &[String]) -> String {
    let load: String = modules
        .iter()
        .map(|module| format!("insmod /{module}\n"))
        .collect();
    format!(
        "#!/bin/busybox sh\n\
         export PATH=/bin:/sbin\n\
         /bin/busybox mkdir -p /sbin\n\
         /bin/busybox --install -s /bin\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sysfs /sys\n\
         mount -t devtmpfs dev /dev\n\
         mount -t tmpfs tmp /tmp\n\
         mount -t tmpfs run /run\n\
         mount -t bpf bpf /sys/fs/bpf\n\
         {load}\
         ip link set lo up\n\
         exec </dev/ttyS0 >/dev/ttyS0 2>&1\n\
         stty -echo -onlcr\n\
         echo '{READY}'\n\
         while read -r line; do\n\
         eval \"$line\"\n\
         echo \"{DONE}$?\"\n\
         done\n"
    )
}

/// The near end of the line.
#[derive(Debug)]
pub(super) struct Console {
    input: ChildStdin,
    heard: Arc<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    text: Mutex<String>,
    more: Condvar,
}

impl Console {
    /// Listens, and writes down everything in a file, until the machine ends.
    pub(super) fn start(input: ChildStdin, output: ChildStdout, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("making {}", log.display()))?;
        let heard = Arc::new(Heard::default());
        let hearing = Arc::clone(&heard);
        thread::Builder::new()
            .name("console".to_owned())
            .spawn(move || hear(output, file, &hearing))?;
        Ok(Self { input, heard })
    }

    /// Waits until the machine is up.
    pub(super) fn await_ready(&self, limit: Duration) -> Result<()> {
        self.take_until(READY, limit)
            .context("the machine does not come up")?;
        Ok(())
    }

    /// Runs a line in the machine's shell; what it printed.
    pub(super) fn run(&mut self, line: &str, limit: Duration) -> Result<String> {
        ensure!(!line.contains('\n'), "a command is one line");
        writeln!(self.input, "{line}").context("the machine has ended")?;
        let printed = self
            .take_until(DONE, limit)
            .with_context(|| format!("`{line}` in the machine"))?;
        let code = self.take_until("\n", limit)?;
        ensure!(
            code.trim() == "0",
            "`{line}` failed in the machine ({}): {printed}",
            code.trim()
        );
        Ok(printed)
    }

    /// What is heard before `mark`, which is taken too.
    fn take_until(&self, mark: &str, limit: Duration) -> Result<String> {
        let end = Instant::now() + limit;
        let mut text = self
            .heard
            .text
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(at) = text.find(mark) {
                let before = text[..at].to_owned();
                text.drain(..at + mark.len());
                return Ok(before);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("nothing within {limit:?}; it said: {text}");
            }
            let waited = self.heard.more.wait_timeout(text, left);
            text = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn hear(mut output: ChildStdout, mut log: File, heard: &Heard) {
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = output.read(&mut buffer) {
        // The log is for people; the text is what counts.
        let _ = log.write_all(&buffer[..len]);
        let said = String::from_utf8_lossy(&buffer[..len]).replace('\r', "");
        let mut text = heard.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&said);
        heard.more.notify_all();
    }
}
