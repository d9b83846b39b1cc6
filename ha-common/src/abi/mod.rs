//! Keys and values of the BPF maps.
//!
//! Any change to a size, an offset or a meaning here takes a new [`SCHEMA`] number, which is part of
//! the pin path, so that two agents of different schema never share a map.
//!
//! An agent that finds what one of another schema has left goes on with that. It reads those maps by the names
//! of their fields, which their BTF has, and it has the other's lease renewed by the other's own program. So
//! whatever the schema, these stay as they are:
//!
//! * the names of maps, programs and fields;
//! * [`RoleWord`], [`Demotion`] and [`crate::lease::LeaseWord`], which are read whole, and [`Mac`] and [`Vlan`];
//! * [`crate::lease::Request`] and [`crate::lease::Reply`];
//! * where links are pinned, and what is locked.

mod deliver;
mod event;
mod live;
mod names;
mod role;
mod router;
mod stale;

use core::mem::{offset_of, size_of};

pub use self::{
    deliver::{
        DELIVER_BRIDGED, DELIVER_BUFFERS, DELIVER_GUEST, DELIVER_LOCAL, DELIVER_REDIRECTED,
        DELIVER_ROUTED, Deliver, MAX_DELIVER,
    },
    event::{Event, EventKind},
    live::{
        EchoPeer, Live, LivePeerKey, MAX_ECHO, MAX_LIVE, MAX_REFLECT, REFLECT_NODE, Reflector,
        Reply, SEQUENCE_BITS,
    },
    names::{map, private, program},
    role::{Demotion, Role, RoleWord},
    router::{
        MAX_ROUTER_PEERS, MAX_ROUTERS, ROUTER_BY_ADDRESS, ROUTER_UNICAST, ROUTER_V4, ROUTER_V6,
        Router, RouterKey, RouterPeerKey,
    },
    stale::{MAX_STALE, Stale, StaleKey},
};

/// Version of everything in this module; the directory below `/sys/fs/bpf/ha/` that holds the pins.
pub const SCHEMA: u32 = if cfg!(feature = "variant-schema") {
    3
} else {
    2
};

/// Groups a node can hold. Sizes `ha_group`; with eight verdicts also `ha_stat`.
pub const MAX_GROUPS: u32 = 1024;
/// Virtual IPs of one family that a node can hold. Sizes `ha_vip4` and `ha_vip6`.
pub const MAX_VIPS: u32 = 131_072;
/// Peers a node can know. Slot 0 means "no peer".
pub const MAX_PEERS: u32 = if cfg!(feature = "variant-schema") {
    512
} else {
    256
};
/// Ports that bonds of a node can have, all together. Sizes `ha_port`.
pub const MAX_PORTS: u32 = 256;
/// Processes whose exit a node can watch. Sizes `ha_watch`.
pub const MAX_WATCHED: u32 = 1024;
/// Value of `ha_watch`: the end of the process is reported.
pub const WATCH_REPORT: u32 = 1;
/// Value of `ha_watch`: the end of the process ends the lease.
pub const WATCH_LEASE: u32 = 2;
/// Bytes of the event ring buffer: a power of two and a multiple of the page size.
pub const EVENT_RING_BYTES: u32 = 1 << 18;

/// A MAC address in wire order. Aligned as it is in frames, see [`crate::wire`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C, align(2))]
pub struct Mac(pub [u8; 6]);

impl core::fmt::Display for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// VLAN tags of a frame or of a virtual IP: outer and inner VLAN id, 0 where there is no tag.
///
/// Host order, 12 significant bits; priority bits are not part of the identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Vlan {
    /// The first tag on the wire, or 0.
    pub outer: u16,
    /// The second tag on the wire, or 0.
    pub inner: u16,
}

/// Key of `ha_vip4`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Vip4Key {
    /// Address in wire order.
    pub addr: [u8; 4],
    /// Tags of the network on which it is a virtual IP.
    pub vlan: Vlan,
}

/// Key of `ha_vip6`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Vip6Key {
    /// Address in wire order.
    pub addr: [u8; 16],
    /// Tags of the network on which it is a virtual IP.
    pub vlan: Vlan,
}

/// Value of `ha_vip4` and `ha_vip6`: what an address is. Rarely written; who has it is in [`Group`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Vip {
    /// Index into `ha_group`.
    pub group: u32,
    /// Index into `ha_deliver`; 0 is the local stack.
    pub deliver: u32,
}

/// [`Group::flags`]: the slot is in use.
pub const GROUP_USED: u16 = 1 << 0;
/// [`Group::flags`]: the group answers with virtual MACs, not with the NIC's.
pub const GROUP_VIRTUAL_MAC: u16 = 1 << 1;
/// [`Group::flags`]: drop stale traffic instead of forwarding it to the Active peer.
pub const GROUP_STALE_DROP: u16 = 1 << 2;
/// [`Group::flags`]: the node is a router for the group, so neighbour advertisements carry R
/// (RFC 4861 section 4.4).
pub const GROUP_ROUTER: u16 = 1 << 3;
/// [`Group::flags`]: the group changes hands at this moment. Who has let go hands questions on to the one who takes
/// over, and that one answers each of them once.
pub const GROUP_MOVES: u16 = 1 << 4;
/// [`Group::flags`]: this node, which is Active, hands new work on to the peer in its word, and goes on only with what it
/// has begun.
pub const GROUP_SETTLES: u16 = 1 << 5;

/// Value of `ha_group`: who has a group, and what its answers look like.
///
/// The map is memory-mapped by the agent, which stores [`Group::word`] with one aligned write; the
/// element is never updated as a whole, since that would overwrite the kernel's demotion word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Group {
    /// Written by the agent alone.
    pub word: RoleWord,
    /// As below.
    #[cfg(feature = "variant-schema")]
    pub name: [u8; 22],
    /// `GROUP_*` bits.
    #[cfg(feature = "variant-schema")]
    pub flags: u16,
    /// Written by the kernel alone.
    pub demoted: Demotion,
    /// The interface on which the group is served.
    pub ifindex: u32,
    /// `GROUP_*` bits.
    #[cfg(not(feature = "variant-schema"))]
    pub flags: u16,
    /// VRRP virtual router id, 0 if the election has none.
    pub vrid: u8,
    /// Own VRRP priority now in force, 0 if the election has none.
    pub priority: u8,
    /// MAC that answers for v4 virtual IPs.
    pub mac4: Mac,
    /// MAC that answers for v6 virtual IPs.
    pub mac6: Mac,
    /// The interface's own MAC: what the local stack accepts, and the source of forwarded frames.
    pub nic: Mac,
    /// Name from the configuration, cut to size and padded with zeros: the identity of the slot over
    /// a restart.
    #[cfg(not(feature = "variant-schema"))]
    pub name: [u8; 22],
    /// Room, so that a group is of another size.
    #[cfg(feature = "variant-schema")]
    pub spare: [u64; 2],
}

/// Value of `ha_node`: the lease. All fields but [`Node::timer`] are the kernel program's to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Node {
    /// Fires when the lease was not renewed in time.
    pub timer: bpf_timer,
    /// The lease word, see [`crate::lease::LeaseWord`].
    pub lease: crate::lease::LeaseWord,
    /// Length of the lease at its last renewal, nanoseconds.
    pub length_ns: u64,
    /// `CLOCK_MONOTONIC` of the last renewal, nanoseconds.
    pub renewed_ns: u64,
    /// `CLOCK_MONOTONIC` of the last lapse, nanoseconds; 0 if none.
    pub lapsed_ns: u64,
    /// Renewals since the map was made.
    pub renewals: u64,
    /// Lapses since the map was made.
    pub lapses: u64,
    /// 1 once the timer has been initialised.
    pub timer_ready: u64,
}

impl Node {
    /// Whether the lease was ended before its time was over, and has not been granted again.
    #[must_use]
    pub const fn was_ended_early(&self) -> bool {
        self.renewed_ns < self.lapsed_ns && self.lapsed_ns - self.renewed_ns < self.length_ns
    }
}

/// The kernel's `struct bpf_timer`, which the verifier finds by this name (`kernel/bpf/btf.c`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct bpf_timer {
    /// The kernel's; reads as zero from user space.
    pub opaque: [u64; 2],
}

/// Value of `ha_peer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Peer {
    /// The peer's NIC MAC, where stale traffic goes. All zeros if the slot is free.
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
    /// The interface over which the peer is reached.
    pub ifindex: u32,
    /// The peer's address, v4 as v4-mapped v6; for `bpftool`.
    pub addr: [u8; 16],
}

/// Value of `ha_port`, whose key is the index of a bond's port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Port {
    /// Index of the bond.
    pub bond: u32,
    /// `PORT_*` bits.
    pub flags: u32,
}

/// [`Port::flags`]: the bond uses another port.
pub const PORT_IDLE: u32 = 1 << 0;

/// Value of `ha_stat` and `ha_reason`, per CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Traffic {
    /// Frames.
    pub packets: u64,
    /// Bytes on the wire, Ethernet header included, FCS not. Frames of several buffers count whole.
    pub bytes: u64,
}

/// Index into `ha_stat`.
#[must_use]
pub const fn stat_index(group: u32, verdict: crate::reason::Verdict) -> u32 {
    group * crate::reason::Verdict::COUNT + verdict as u32
}

const _: () = {
    assert!(size_of::<Vip4Key>() == 8);
    assert!(size_of::<Vip6Key>() == 20);
    assert!(size_of::<Vip>() == 8);
    assert!(size_of::<RoleWord>() == 8);
    assert!(size_of::<Demotion>() == 8);
    if cfg!(feature = "variant-schema") {
        assert!(size_of::<Group>() == 80);
        assert!(offset_of!(Group, demoted) == 32);
    } else {
        assert!(size_of::<Group>() == 64);
        assert!(offset_of!(Group, demoted) == 8);
    }
    assert!(offset_of!(Group, word) == 0);
    assert!(size_of::<Node>() == 72);
    assert!(offset_of!(Node, lease) == 16);
    assert!(size_of::<Peer>() == 28);
    assert!(size_of::<Port>() == 8);
    assert!(size_of::<Deliver>() == 44);
    assert!(size_of::<Traffic>() == 16);
    assert!(size_of::<Event>() == 48);
    assert!(size_of::<RouterKey>() == 12);
    assert!(size_of::<Router>() == 24);
    assert!(size_of::<RouterPeerKey>() == 20);
};

#[cfg(feature = "user")]
mod pod {
    use super::{
        Deliver, EchoPeer, Event, Group, Live, LivePeerKey, Mac, Node, Peer, Port, Reflector,
        Reply, Router, RouterKey, RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key, Vip6Key,
    };

    macro_rules! pod {
        ($($type:ty),+) => {$(
            // SAFETY: repr(C), Copy, 'static, of integers and byte arrays without padding bytes (the
            // sizes are asserted above), so that every bit pattern is a value of the type.
            unsafe impl aya::Pod for $type {}
        )+};
    }
    pod!(
        Deliver,
        EchoPeer,
        Event,
        Group,
        Live,
        LivePeerKey,
        Mac,
        Node,
        Peer,
        Port,
        Reflector,
        Reply,
        Router,
        RouterKey,
        RouterPeerKey,
        Stale,
        StaleKey,
        Traffic,
        Vip,
        Vip4Key,
        Vip6Key
    );
}
