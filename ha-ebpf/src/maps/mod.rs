//! The maps: BPF maps in the kernel, a plain model of them on the host, with the same functions.

#[cfg(not(target_arch = "bpf"))]
mod host;
#[cfg(target_arch = "bpf")]
mod kernel;

#[cfg(not(target_arch = "bpf"))]
pub use host::Maps;
#[cfg(target_arch = "bpf")]
pub use kernel::Maps;

/// When a group last told of something, `CLOCK_MONOTONIC` nanoseconds; 0 if never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Limit {
    /// Of a conflicting owner.
    pub conflicting_owner_ns: u64,
    /// Of stale traffic.
    pub stale_sender_ns: u64,
}
