//! The end of a watched process, told at once; that of the agent can end its lease.
//!
//! The tracepoint fires for each thread. Of a process that is killed all threads end, the first one among
//! them, so that is the one to tell of; whether others go on without it is for the agent to find out.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;

use ha_common::abi::WATCH_LEASE;

use crate::{events, lease, maps::Maps};

/// Called in the context of the thread that ends.
#[inline(always)]
pub fn exit(maps: &mut Maps) -> i32 {
    let both = bpf_get_current_pid_tgid();
    let (process, thread) = ((both >> 32) as u32, both as u32);
    if process != thread {
        return 0;
    }
    let watched = maps.watched(process);
    if watched == WATCH_LEASE {
        // Who would read of it is who ends.
        lease::lapse(maps);
    } else if watched != 0 {
        events::process_exit(maps, process);
    }
    0
}
