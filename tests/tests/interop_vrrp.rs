//! The agent beside keepalived and FRR, in all cases of the table.
//!
//! Takes the built agent, root and the other programs: `cargo xtask test interop-vrrp` sees to all.

use ha_lab::{cases, interop::CASES};

#[test]
fn the_agent_is_a_router_among_others() {
    let each = CASES.iter();
    cases::play(each.map(|case| (case.name, |agent: &_| case.run(agent))));
}
