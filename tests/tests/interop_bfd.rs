//! The agent beside FRR's `bfdd`, in all cases of the table.
//!
//! Takes the built agent, root and FRR: `cargo xtask test interop-bfd` sees to all.

use ha_lab::{cases, interop_bfd::CASES};

#[test]
fn the_agent_speaks_bfd_with_routers() {
    let each = CASES.iter();
    cases::play(each.map(|case| (case.name, |agent: &_| case.run(agent))));
}
