//! Busy loops beside what is measured: a machine that has no time.

use std::thread::available_parallelism;

use anyhow::Result;

use crate::{daemon::Daemon, lab::Lab};

/// How much of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) for_each_processor: usize,
    /// As nice(1) has it: below 0 they go before what is measured.
    pub(super) niceness: i8,
}

impl Load {
    /// How many loops that is on this machine.
    pub(super) fn loops(self) -> usize {
        self.for_each_processor * available_parallelism().map_or(1, usize::from)
    }

    /// Starts them, on the nodes in turn. They end with the result, and with the thread that calls this.
    pub(super) fn start(self, lab: &Lab) -> Result<Vec<Daemon>> {
        let one = |node: &crate::node::Node| {
            let mut command = node.namespace().command("nice")?;
            command.args(["-n", &self.niceness.to_string()]);
            command.args(["sh", "-c", "while :; do :; done"]);
            Daemon::start("busy loop", command, &node.dir().join("load.log"))
        };
        let nodes = lab.nodes().iter().cycle();
        nodes.take(self.loops()).map(one).collect()
    }
}
