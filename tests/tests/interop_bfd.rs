//! The agent beside FRR's `bfdd`, in all cases of the table.
//!
//! Takes the built agent, root and FRR: `cargo xtask test interop-bfd` sees to all.

use std::{env, path::PathBuf};

use ha_lab::interop_bfd::CASES;

/// Part of the names of the cases to play; all if it is not set.
const ONLY: &str = "HA_INTEROP_CASES";

#[test]
fn the_agent_speaks_bfd_with_routers() {
    let agent = PathBuf::from(env::var_os("HA_AGENT_BIN").expect("HA_AGENT_BIN names the agent"));
    let only = env::var(ONLY).unwrap_or_default();
    let is_chosen = |name: &str| only.is_empty() || only.split(',').any(|part| name.contains(part));
    let mut broken = Vec::new();
    let mut played = 0;
    for case in CASES.iter().filter(|case| is_chosen(case.name)) {
        played += 1;
        match case.run(&agent) {
            Ok(verdict) => {
                println!("{}\n{verdict}", case.name);
                if !verdict.faults.is_empty() {
                    broken.push(case.name);
                }
            }
            Err(error) => {
                println!("{}\n    {error:#}", case.name);
                broken.push(case.name);
            }
        }
    }
    assert!(played > 0, "no case has {only:?} in its name");
    assert!(broken.is_empty(), "not as expected: {}", broken.join(", "));
}
