//! Benchmarks that look on while agents run: `NAME AGENT SECONDS [--json]`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// What was seen.
pub trait Seen: fmt::Display + Serialize {
    /// Role changes of this project's agents, of which none is called for.
    fn own_role_changes(&self) -> u64;
}

/// Looks on, as the command line says, and prints what was seen.
///
/// # Errors
///
/// When it cannot be done, or an agent changed its role.
pub fn look_on<S: Seen>(look: impl FnOnce(&Path, u64) -> Result<S>) -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let agent = PathBuf::from(arguments.next().context("name the agent")?);
    let seconds = arguments.next().context("say how many seconds")?.parse()?;
    let json = match arguments.next().as_deref() {
        None => false,
        Some("--json") => true,
        Some(other) => bail!("{other} is not understood: give --json, or nothing"),
    };
    let seen = look(&agent, seconds)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&seen)?);
    } else {
        print!("{seen}");
    }
    let changes = seen.own_role_changes();
    ensure!(
        changes == 0,
        "the agents changed roles {changes} times; never may they"
    );
    Ok(())
}
