//! The data path: what becomes of a frame, and the lease that it depends on.
//!
//! The same source runs in the kernel and on the host. Two seams differ: [`Packet`], which is the
//! kernel's packet memory or a vector, and [`Maps`], which are BPF maps or a plain model of them.
//!
//! ```text
//! frame ─► classify ─┬─ ARP ──────► reply::arp
//!                    ├─ NS, NA ───► reply::nd
//!                    ├─ VRRP ─────► demote
//!                    ├─ S-BFD ────► live
//!                    ├─ BFD echo ─► live::echo
//!                    ├─ IPv4 ─┬───► steer ─┬─► reply::{echo, echo6}
//!                    ├─ IPv6 ─┘            ├─► deliver::{local, guest}
//!                    │                     └─► deliver::peer
//!                    └─ anything else: passed untouched
//! ```
//!
//! What the host sends goes another way, which is one file: [`run_egress`]. So does what it sends to itself:
//! [`run_local`].
//!
//! One habit is the verifier's: no value is undefined on any way. Where two ways meet, a compiler may
//! move what an `Option` holds before it looks whether it holds something, and the verifier refuses
//! a program that reads what nobody has written. So what is missing is a value of its own (zeros,
//! or a null reference), not an absent one.
#![cfg_attr(target_arch = "bpf", no_std)]

#[cfg(target_arch = "bpf")]
mod adopt;
mod classify;
mod deliver;
mod demote;
mod egress;
mod events;
#[cfg(target_arch = "bpf")]
mod exit;
mod fence;
mod frame;
mod lease;
mod live;
mod local;
#[cfg(target_arch = "bpf")]
mod lost;
mod maps;
mod moving;
mod packet;
mod reply;
mod settle;
mod stats;
mod steer;

#[cfg(target_arch = "bpf")]
pub use adopt::adopt;
#[cfg(target_arch = "bpf")]
pub use exit::exit;
use ha_common::{
    lease::Reply,
    reason::{Reason, Verdict},
};
pub use local::Errand;
#[cfg(target_arch = "bpf")]
pub use lost::{lost, refused};
pub use maps::{Asked, Flow, Limit, Maps};
pub use packet::{Packet, SocketBuffer};

/// What the driver does with the frame next: the kernel's `enum xdp_action`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Action {
    /// Free it.
    Drop = 1,
    /// Hand it to the kernel's stack.
    Pass = 2,
    /// Send it out of the interface that received it.
    Tx = 3,
    /// Send it out of another interface.
    Redirect = 4,
}

/// How a frame ended.
struct End {
    /// `None` if it is not about a virtual IP; then there is nothing else to say about it.
    reason: Option<Reason>,
    /// The group that it is about.
    group: u32,
    /// Length of the frame as it came.
    len: usize,
}

impl End {
    const NOT_OURS: Self = Self {
        reason: None,
        group: 0,
        len: 0,
    };
}

/// Takes a frame and says what becomes of it.
#[inline(always)]
pub fn run(packet: &mut Packet, maps: &mut Maps) -> Action {
    let end = classify::frame(packet, maps);
    let Some(reason) = end.reason else {
        return Action::Pass;
    };
    stats::count(maps, end.group, reason, end.len);
    match reason.verdict() {
        Verdict::Delivered if reason == Reason::DeliveredGuest => Action::Redirect,
        Verdict::Answered | Verdict::Forwarded => Action::Tx,
        Verdict::Delivered | Verdict::Passed => Action::Pass,
        Verdict::Dropped | Verdict::Taken | Verdict::Withheld => Action::Drop,
    }
}

/// Takes a frame that is about to leave the host, and says whether it does.
#[inline(always)]
pub fn run_egress(buffer: &SocketBuffer, maps: &mut Maps) -> Action {
    let end = egress::judge(buffer, maps);
    let Some(reason) = end.reason else {
        return Action::Pass;
    };
    stats::count(maps, end.group, reason, end.len);
    Action::Drop
}

/// Takes a packet that this host is about to hand to itself, and says whether it does; if not, where it goes instead.
#[inline(always)]
pub fn run_local(buffer: &SocketBuffer, maps: &mut Maps) -> (Action, Errand) {
    let (errand, end) = local::judge(buffer, maps);
    let Some(reason) = end.reason else {
        return (Action::Pass, errand);
    };
    stats::count(maps, end.group, reason, end.len);
    let is_sent = errand.ifindex != 0;
    (if is_sent { Action::Tx } else { Action::Drop }, errand)
}

/// Takes a request of the agent for its lease.
#[inline(always)]
pub fn run_lease(packet: &Packet, maps: &mut Maps) -> Reply {
    lease::operate(packet, maps)
}
