//! Running a tool and saying clearly what went wrong.

use std::{
    io::{Read, Write},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::sys;

/// Runs a tool to its end and returns what it printed.
///
/// # Errors
///
/// When the tool is missing or ends with anything but success; the error carries the command line
/// and what the tool wrote to stderr.
pub fn run(command: &mut Command) -> Result<String> {
    run_with_input(command, "")
}

/// As [`run`], with `input` on the tool's stdin.
///
/// # Errors
///
/// As [`run`].
pub fn run_with_input(command: &mut Command, input: &str) -> Result<String> {
    let line = describe(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(&line))?;
    // A tool that ends before it has read everything says why on stderr.
    let written = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    let output = child
        .wait_with_output()
        .with_context(|| format!("waiting for `{line}`"))?;
    let printed = check(&line, &output)?;
    written.with_context(|| format!("writing to `{line}`"))?;
    Ok(printed)
}

/// As [`run`], but gives up, and kills the tool, after `limit`.
///
/// # Errors
///
/// As [`run`], and when the tool takes longer than `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<String> {
    let line = describe(command);
    sys::die_with_parent(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(&line))?;
    // The pipes are read while the tool runs: a long answer would fill them and block it.
    let stdout = child.stdout.take().map(read_aside);
    let stderr = child.stderr.take().map(read_aside);

    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{line}` did not end within {limit:?}");
        }
        thread::sleep(Duration::from_millis(2));
    };
    let collect = |pipe: Option<thread::JoinHandle<Vec<u8>>>| {
        pipe.and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    let output = Output {
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
    };
    check(&line, &output)
}

/// Runs several `ip` commands in the network namespace with this name.
///
/// # Errors
///
/// As [`run`]; the first command that fails ends the batch.
pub fn ip_batch(namespace: &str, commands: &str) -> Result<()> {
    let mut ip = Command::new("ip");
    ip.args(["-n", namespace, "-batch", "-"]);
    run_with_input(&mut ip, commands)
        .with_context(|| format!("setting up links and addresses in {namespace}"))?;
    Ok(())
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn check(line: &str, output: &Output) -> Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}): {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn describe(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

fn cannot_start(line: &str) -> String {
    format!(
        "cannot start `{line}`: is it installed? `cargo xtask setup` installs what the lab needs"
    )
}
