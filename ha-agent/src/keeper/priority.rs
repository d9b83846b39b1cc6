//! Real-time priority for threads that must not wait behind others.

use std::io;

/// Above every ordinary process, below everything else that asked for real time.
const PRIORITY: i32 = 1;

/// Gives the calling thread the scheduling class `SCHED_RR`, or says in the log that it is not allowed.
pub(crate) fn raise(who: &str) {
    let parameters = libc::sched_param {
        sched_priority: PRIORITY,
    };
    // A child that a check starts must not inherit it.
    let policy = libc::SCHED_RR | libc::SCHED_RESET_ON_FORK;
    // SAFETY: 0 names the calling thread, and the parameters outlive the call.
    let result = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    if result == 0 {
        tracing::info!("{who} runs with real-time priority {PRIORITY}");
    } else {
        let error = io::Error::last_os_error();
        tracing::warn!("{who} runs without real-time priority, which needs CAP_SYS_NICE: {error}");
    }
}
