//! What each path of a packet costs beside an empty program, with 1 and with 65,536 virtual IPs.
//!
//! `--json` prints the numbers for programs.

use anyhow::{Result, bail};
use ha_agent::dataplane::OBJECT;
use ha_lab::bench::packet;

fn main() -> Result<()> {
    let json = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--json") => true,
        Some(other) => bail!("{other} is not understood: give --json, or nothing"),
    };
    let report = packet::run(OBJECT)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
