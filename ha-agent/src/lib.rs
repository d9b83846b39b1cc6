//! The failover agent: the daemon around the decisions of `ha_core` and the BPF half `ha-ebpf`.

pub mod api;
pub mod config;
pub mod dataplane;
pub mod net;
