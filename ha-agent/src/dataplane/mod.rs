//! The BPF half in the kernel.

/// The BPF object, with its BTF; built by the build script.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("HA_BPF_OBJECT"));
