//! Whether a program exits with 0 (keepalived's `track_script`).

use std::process::Stdio;

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::{Child, Command};

use super::Look;

/// As much of a line as is kept, characters.
const NOTE: usize = 200;

pub(super) struct Script(Vec<String>);

/// A running script with all that it has started. What is still there in the end is killed.
struct Running(Child);

impl Script {
    pub(super) fn new(command: &[String]) -> Self {
        Self(command.to_vec())
    }

    pub(super) async fn look(&mut self) -> Look {
        let [program, arguments @ ..] = self.0.as_slice() else {
            return Look::fail("names no program");
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut running = match command.spawn() {
            Ok(child) => Running(child),
            Err(error) => return Look::fail(format!("cannot run {program}: {error}")),
        };
        running.outcome().await
    }
}

impl Running {
    async fn outcome(&mut self) -> Look {
        let streams = (self.0.stdout.take(), self.0.stderr.take());
        let (output, errors, status) =
            tokio::join!(last_line(streams.0), last_line(streams.1), self.0.wait());
        let said = if errors.is_empty() { output } else { errors };
        match status {
            Ok(status) if status.success() => Look::pass(said),
            Ok(status) if said.is_empty() => Look::fail(status.to_string()),
            Ok(status) => Look::fail(format!("{status}: {said}")),
            Err(error) => Look::fail(error.to_string()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a number it has ended and was waited for.
        if let Some(leader) = self.0.id().and_then(|id| i32::try_from(id).ok()) {
            // It may just have ended.
            let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
        }
    }
}

/// Reads all, so that the script is never blocked, and keeps the last line.
async fn last_line(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let mut last = String::new();
    let Some(stream) = stream else {
        return last;
    };
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.trim().is_empty() {
            last = line.trim().chars().take(NOTE).collect();
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ha_core::track::Observation;
    use tokio::time::timeout;

    use super::Script;

    fn script(text: &str) -> Script {
        Script::new(&["/bin/sh", "-c", text].map(str::to_owned))
    }

    #[tokio::test]
    async fn the_exit_code_decides_and_the_last_line_is_kept() {
        let look = script("echo one; echo two").look().await;
        assert_eq!((look.observation, &*look.note), (Observation::Pass, "two"));
        let look = script("echo broken >&2; exit 3").look().await;
        assert_eq!(look.observation, Observation::Fail);
        assert_eq!(look.note, "exit status: 3: broken");
    }

    #[tokio::test]
    async fn a_script_that_is_not_there_is_not_well() {
        let look = Script::new(&["/nonexistent".to_owned()]).look().await;
        assert_eq!(look.observation, Observation::Fail);
        assert!(look.note.contains("/nonexistent"), "{}", look.note);
    }

    #[tokio::test]
    async fn a_script_that_is_given_up_is_killed_with_its_children() {
        let file = std::env::temp_dir().join(format!("ha-agent-script-{}", std::process::id()));
        let text = format!("sleep 100 & echo $! > {}; wait", file.display());
        let mut script = script(&text);
        let given_up = timeout(Duration::from_millis(300), script.look()).await;
        assert!(given_up.is_err());
        let child = std::fs::read_to_string(&file).unwrap();
        let gone = || match std::fs::read_to_string(format!("/proc/{}/stat", child.trim())) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        let begun = Instant::now();
        while !gone() {
            assert!(begun.elapsed() < Duration::from_secs(5), "it goes on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::remove_file(&file).unwrap();
    }
}
