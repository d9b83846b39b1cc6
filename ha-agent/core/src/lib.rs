//! The failover agent's decisions, pure: time, randomness and packets are arguments, commands are
//! return values. The daemon around this crate reads sockets and clocks and does what it is told.
//!
//! * [`election`]: the input and output that every election has in common;
//! * [`vrrp`]: packets and state machine of RFC 9568;
//! * [`manual`]: an outside manager decides;
//! * [`word`]: from a commanded role to the role word;
//! * [`announce`]: when to send which gratuitous ARP or unsolicited neighbour advertisement;
//! * [`track`]: what checks say about a group;
//! * [`sync`]: groups that move together;
//! * [`sbfd`]: whether a peer answers liveness probes;
//! * [`bfd`]: sessions of RFC 5880 with routers;
//! * [`witness`]: questions to a third party;
//! * [`recovery`]: on which of its interfaces a node serves a group;
//! * [`plan`]: from desired and actual map contents to the writes between them.
#![forbid(unsafe_code)]

pub mod announce;
pub mod bfd;
pub mod election;
pub mod manual;
pub mod plan;
pub mod recovery;
pub mod sbfd;
pub mod sync;
pub mod time;
pub mod track;
pub mod vrrp;
pub mod witness;
pub mod word;
