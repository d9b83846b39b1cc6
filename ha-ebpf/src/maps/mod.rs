//! The maps: BPF maps in the kernel, a plain model of them on the host, with the same functions.

#[cfg(not(target_arch = "bpf"))]
mod host;
#[cfg(target_arch = "bpf")]
mod kernel;

#[cfg(not(target_arch = "bpf"))]
pub use host::Maps;
#[cfg(target_arch = "bpf")]
pub use kernel::Maps;

use core::mem::size_of;

use ha_common::abi::Mac;

use crate::Packet;

/// A question that this node has answered while a group came to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Asked {
    /// Who asked.
    pub asker: Mac,
    /// The last octets of his address.
    pub address: [u8; 2],
    /// The last octets of the virtual IP.
    pub vip: [u8; 4],
    /// The term in which it was answered.
    pub epoch: u32,
    /// Index of the interface on which it was.
    pub ifindex: u32,
    /// And when, milliseconds of `CLOCK_MONOTONIC`, the last 32 bits.
    pub at_ms: u32,
}

impl Asked {
    /// How many are remembered: far more than come while a frame is on its way from one node to another.
    pub const PLACES: u32 = 1024;

    /// The copies of a frame that are in the queues of two NICs are not farther apart, milliseconds.
    const COPIES_MS: u32 = 100;

    /// Whether it is the same question, whenever and wherever it was heard.
    #[inline(always)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        let Self { ifindex, at_ms, .. } = *other;
        let there = Self {
            ifindex,
            at_ms,
            ..*self
        };
        there == *other
    }

    /// Whether both are of one frame that came in on two interfaces.
    #[inline(always)]
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        let apart_ms = other.at_ms.wrapping_sub(self.at_ms);
        self.is(other) && self.ifindex != other.ifindex && apart_ms <= Self::COPIES_MS
    }
}

/// A TCP connection as the kernel is asked for it (`struct bpf_sock_tuple`), all in network order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Flow<A> {
    /// Who sends.
    pub src: A,
    /// To whom.
    pub dst: A,
    /// His port.
    pub src_port: [u8; 2],
    /// The other's port.
    pub dst_port: [u8; 2],
}

const _: () = assert!(size_of::<Flow<[u8; 4]>>() == 12 && size_of::<Flow<[u8; 16]>>() == 36);

impl Maps {
    /// The interface that a frame came in on, as the agent knows it. In native mode the drivers of a bond's ports run
    /// the bond's program (`bond_xdp_set`, `drivers/net/bonding/bond_main.c`), and the kernel names the port.
    #[inline(always)]
    pub(crate) fn arrival(&self, packet: &Packet) -> u32 {
        let ifindex = packet.ifindex();
        match self.port(ifindex).bond {
            0 => ifindex,
            bond => bond,
        }
    }
}

/// State of a socket that is not there.
pub(crate) const NO_SOCKET: u32 = 0;

/// When a group last told of something, `CLOCK_MONOTONIC` nanoseconds; 0 if never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Limit {
    /// Of a conflicting owner.
    pub conflicting_owner_ns: u64,
    /// Of stale traffic.
    pub stale_sender_ns: u64,
}
