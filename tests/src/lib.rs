//! A lab of network namespaces: a switch, nodes, a client that probes, and the failures to try on
//! them.
//!
//! * [`lab`]: the switch and what is plugged into it; [`address`]: who has which address;
//! * [`daemon`]: programs on the nodes: start, stop, kill, freeze;
//! * [`cluster`]: two nodes that share virtual IPs, moved by [`agent`] or [`keepalived`];
//! * [`echo`]: the service behind the virtual IPs; [`probe`]: a thousand questions a second, and who
//!   answered each;
//! * [`guest`]: hypervisors, and machines behind them; [`vm`]: virtual machines in qemu;
//! * [`ear`]: what a node sends, heard at its port; [`silence`]: what it must not have sent;
//! * [`report`]: from probes to losses, outages and double answers; [`timeline`]: the same as a
//!   picture;
//! * [`scenario`]: failures, and what they cost;
//! * [`mod@waiting`]: for what a lab comes to;
//! * [`bpf`]: the data path in the kernel, on single frames; [`mod@bench`]: statistics for benchmarks.
#![deny(unsafe_code)]

pub mod address;
mod advert;
pub mod agent;
mod application;
pub mod bench;
pub mod bpf;
mod capture;
pub mod cases;
mod closed;
pub mod cluster;
pub mod command;
pub mod daemon;
pub mod ear;
pub mod echo;
mod filter;
pub mod frr;
pub mod guest;
pub mod interop;
pub mod interop_bfd;
pub mod keepalived;
pub mod lab;
mod loss;
pub mod netns;
pub mod node;
pub mod polling;
pub mod probe;
mod remains;
pub mod report;
pub mod scenario;
pub mod second;
pub mod silence;
pub mod station;
mod sys;
pub mod timeline;
pub mod tshark;
pub mod under_test;
pub mod vm;
pub mod waiting;
