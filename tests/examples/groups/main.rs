//! 255 groups on two nodes of a busy machine: who changes roles, and what it costs, beside keepalived.
//!
//! `groups AGENT SECONDS [--json]`

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use ha_lab::bench::groups;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let agent = PathBuf::from(arguments.next().context("name the agent")?);
    let seconds = arguments.next().context("say how many seconds")?.parse()?;
    let json = match arguments.next().as_deref() {
        None => false,
        Some("--json") => true,
        Some(other) => bail!("{other} is not understood: give --json, or nothing"),
    };
    let report = groups::run(&agent, seconds)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    let changes = report.own_role_changes();
    ensure!(
        changes == 0,
        "the agent's groups changed roles {changes} times; none may"
    );
    Ok(())
}
