//! 255 groups on two nodes of a busy machine: who changes roles, and what it costs, beside keepalived.
//!
//! `groups AGENT SECONDS [--json]`

use anyhow::Result;
use ha_lab::bench::{groups, look_on};

fn main() -> Result<()> {
    look_on(groups::run)
}
