//! What delivery costs: to the local stack, to guests, and on to a peer, each beside what the kernel does by itself.
//!
//! `--json` prints the numbers for programs.

use anyhow::{Result, bail};
use ha_agent::dataplane::OBJECT;
use ha_lab::bench::deliver;

fn main() -> Result<()> {
    let json = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--json") => true,
        Some(other) => bail!("{other} is not understood: give --json, or nothing"),
    };
    let report = deliver::run(OBJECT)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
