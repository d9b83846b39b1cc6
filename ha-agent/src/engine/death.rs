//! What becomes of the groups when the agent dies without letting go of them: a policy, carried out by the
//! kernel.

use std::{fs, path::Path};

use anyhow::{Result, bail, ensure};

use crate::{config::OnExit, dataplane::Exits};

/// The kernel's first process namespace, whose numbers the tracepoint reports
/// (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
const HOST_NAMESPACE: &str = "pid:[4026531836]";

/// Has the kernel do what the policy says.
///
/// # Errors
/// If the policy is to let go and the kernel cannot know of this process's end.
pub(super) fn prepare(policy: OnExit, exits: Option<&mut Exits>) -> Result<()> {
    match policy {
        OnExit::Hold => Ok(()),
        OnExit::Release => {
            let Some(exits) = exits else {
                bail!(
                    "node.on_exit = \"release\" needs a kernel that tells of the end of processes \
                     (CONFIG_DEBUG_INFO_BTF): write \"hold\" to serve until the lease ends"
                );
            };
            let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
            ensure!(
                namespace == Path::new(HOST_NAMESPACE),
                "node.on_exit = \"release\" does not work in a process namespace of the agent's own, where \
                 it does not know its number: run it in the host's, or write \"hold\" to serve until the \
                 lease ends"
            );
            exits.end_lease_with(std::process::id())
        }
    }
}
