//! The program on the way out. It only reads, so its frames need no renewal, and the lookup finds what it
//! found before in the processor's cache.

use anyhow::{Result, ensure};

use super::{
    Cost, REPEAT, SAMPLES, WARM_UP,
    kernel::Program,
    paths::{self, NODE4},
    refill,
};
use crate::{bench::Samples, bpf::DataPath};

/// `TC_ACT_UNSPEC`: on to the next program.
const GOES: u32 = (-1_i32).cast_unsigned();

/// What it costs to send from this node's own address, and from a virtual IP that it has.
///
/// # Errors
///
/// When the kernel refuses a program, and when a frame is kept.
pub(super) fn costs(node: &DataPath, vips: u32) -> Result<Vec<Cost>> {
    let program = Program::of(node.egress()?.fd()?)?;
    let nothing = Program::load_classifier(&refill::nothing())?;
    let frames = [
        ("sent, not ours", paths::sent(NODE4)),
        ("sent from a virtual IP", paths::sent(paths::vip4(0))),
    ];
    frames
        .into_iter()
        .map(|(path, frame)| {
            ensure!(node.send(&frame)?.action == GOES, "{path}: it was kept");
            program.run(&frame, WARM_UP)?;
            let (mut costs, mut empty) = (Vec::new(), Vec::new());
            for _ in 0..SAMPLES {
                let without = nothing.run(&frame, REPEAT)?;
                costs.push(program.run(&frame, REPEAT)? - without);
                empty.push(without);
            }
            let costs = Samples::new(costs);
            Ok(Cost {
                path,
                vips,
                nanoseconds: costs.median(),
                spread_nanoseconds: costs.spread() * costs.median(),
                empty_nanoseconds: Samples::new(empty).median(),
            })
        })
        .collect()
}
