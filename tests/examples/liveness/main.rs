//! Two living nodes on a busy machine that probe each other at 3 ms: who is taken for dead, beside keepalived.
//!
//! `liveness AGENT SECONDS [--json]`

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use ha_lab::bench::liveness;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let agent = PathBuf::from(arguments.next().context("name the agent")?);
    let seconds = arguments.next().context("say how many seconds")?.parse()?;
    let json = match arguments.next().as_deref() {
        None => false,
        Some("--json") => true,
        Some(other) => bail!("{other} is not understood: give --json, or nothing"),
    };
    let report = liveness::run(&agent, seconds)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    let changes = report.own_role_changes();
    ensure!(
        changes == 0,
        "the agents changed roles {changes} times although both lived; never may they"
    );
    Ok(())
}
