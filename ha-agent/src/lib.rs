//! The failover agent: the daemon around the decisions of `ha_core` and the BPF half `ha-ebpf`.
//!
//! * [`daemon`]: the running agent; from there to [`engine`], where everything is decided;
//! * [`config`]: what the operator wants;
//! * [`dataplane`]: the BPF half in the kernel; [`keeper`] renews its lease;
//! * [`liveness`]: whether peers live; [`bfd`]: sessions with routers;
//! * [`net`]: links, routes, filters and frames; [`admission`]: whether a second MAC gets through;
//! * [`doctor`]: whether the host is as virtual IPs need it;
//! * [`fault`]: where the lab has an agent die;
//! * [`api`]: the control socket; [`cli`]: the command line, which is its client.

pub mod admission;
pub mod api;
pub mod bfd;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod dataplane;
mod discards;
pub mod doctor;
pub mod engine;
pub mod fault;
pub mod health;
pub mod keeper;
pub mod liveness;
pub mod log;
pub mod net;
pub mod privilege;
mod supervisor;
