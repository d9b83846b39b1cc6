//! The BPF half in the kernel: loaded, pinned, attached, read and written.
//!
//! * [`Dataplane`]: all of it, for the agent;
//! * [`PinDir`]: where it is pinned, and who may use that place;
//! * [`validate`]: whether what is pinned there is what this agent would have made;
//! * [`GroupMap`]: the one map that is memory, not system calls;
//! * [`LeaseSwitch`]: the dead-man's switch;
//! * [`egress`]: the program that keeps a node from sending as a virtual IP;
//! * [`local`]: the one that sends the host's own programs to the Active node;
//! * [`Events`]: what the kernel has to tell;
//! * [`status_of_pins`]: what can be seen without an agent.

mod admitted;
mod adopt;
mod attach;
mod attached;
mod attempt;
mod cross;
mod deliver;
mod echo;
pub mod egress;
mod events;
mod exits;
mod group_map;
mod handle;
mod lease;
mod lines;
mod live;
mod load;
pub mod local;
mod lost;
mod maps;
mod node;
mod peer;
mod pin;
mod ports;
mod predecessor;
mod programs;
mod refusal;
mod router;
mod schema;
mod serving;
mod stale;
mod stats;
mod status;
pub mod validate;
mod vip;

pub use self::{
    admitted::{Admitted, admitted, everywhere},
    attach::{Attach, attached, link_of, program_name},
    attempt::attempt,
    deliver::DeliverMaps,
    events::Events,
    exits::Exits,
    group_map::GroupMap,
    handle::Dataplane,
    lease::LeaseSwitch,
    live::{Liveness, Stamps},
    lost::Losses,
    maps::{Maps, Tables},
    node::NodeMap,
    peer::PeerMaps,
    pin::PinDir,
    predecessor::pinned_contents,
    programs::Programs,
    router::RouterMaps,
    stale::StaleMap,
    stats::StatMaps,
    status::status_of_pins,
    vip::VipMaps,
};

pub(crate) use self::pin::BPFFS;

/// The BPF object, with its BTF; built by the build script.
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("HA_BPF_OBJECT"));

/// aya's maps have no `Debug`, and their contents are better looked at with `bpftool`.
macro_rules! opaque_debug {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    };
}
use opaque_debug;
