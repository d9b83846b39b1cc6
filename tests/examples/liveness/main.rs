//! Two living nodes on a busy machine that probe each other at 3 ms: who is taken for dead, beside keepalived.
//!
//! `liveness AGENT SECONDS [--json]`

use anyhow::Result;
use ha_lab::bench::{liveness, look_on};

fn main() -> Result<()> {
    look_on(liveness::run)
}
