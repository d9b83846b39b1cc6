//! Keys and values of the BPF maps.
//!
//! Any change to a size, an offset or a meaning here takes a new [`SCHEMA`] number, which is part of
//! the pin path, so that two agents of different schema never share a map.

use core::mem::{offset_of, size_of};

/// Version of everything in this module; the directory below `/sys/fs/bpf/ha/` that holds the pins.
pub const SCHEMA: u32 = 1;

/// Groups a node can hold. Sizes `ha_group`; with eight verdicts also `ha_stat`.
pub const MAX_GROUPS: u32 = 1024;
/// Virtual IPs of one family that a node can hold. Sizes `ha_vip4` and `ha_vip6`.
pub const MAX_VIPS: u32 = 131_072;
/// Peers a node can know. Slot 0 means "no peer".
pub const MAX_PEERS: u32 = 256;
/// Delivery targets. Slot 0 is the local stack.
pub const MAX_DELIVER: u32 = 1024;
/// Bytes of the event ring buffer: a power of two and a multiple of the page size.
pub const EVENT_RING_BYTES: u32 = 1 << 18;

/// Map names, at most 15 characters so that the kernel keeps them whole.
pub mod map {
    /// Hash: [`Vip4Key`](super::Vip4Key) to [`Vip`](super::Vip).
    pub const VIP4: &str = "ha_vip4";
    /// Hash: [`Vip6Key`](super::Vip6Key) to [`Vip`](super::Vip).
    pub const VIP6: &str = "ha_vip6";
    /// Array by group id: [`Group`](super::Group). Memory-mappable.
    pub const GROUP: &str = "ha_group";
    /// Array of one: [`Node`](super::Node).
    pub const NODE: &str = "ha_node";
    /// Array by peer slot: [`Peer`](super::Peer).
    pub const PEER: &str = "ha_peer";
    /// Hash: [`Mac`](super::Mac) of a peer's NIC to its peer slot.
    pub const PEER_MAC: &str = "ha_peer_mac";
    /// Array by delivery slot: [`Deliver`](super::Deliver).
    pub const DELIVER: &str = "ha_deliver";
    /// Per-CPU array by [`stat_index`](super::stat_index): [`Traffic`](super::Traffic).
    pub const STAT: &str = "ha_stat";
    /// Per-CPU array by reason number: [`Traffic`](super::Traffic).
    pub const REASON: &str = "ha_reason";
    /// Ring buffer of [`Event`](super::Event).
    pub const EVENT: &str = "ha_event";

    /// All of them, in the order in which they are pinned.
    pub const ALL: [&str; 10] = [
        VIP4, VIP6, GROUP, NODE, PEER, PEER_MAC, DELIVER, STAT, REASON, EVENT,
    ];
}

/// Program names.
pub mod program {
    /// The data path, attached to every interface of the configuration.
    pub const XDP: &str = "ha_xdp";
    /// The lease operations, run with `BPF_PROG_TEST_RUN` and attached nowhere.
    pub const LEASE: &str = "ha_lease";
    /// Behind the data path at the ingress hook of traffic control, on interfaces that decide too
    /// early whom a frame is for.
    pub const ADOPT: &str = "ha_adopt";
}

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

/// What a node is for a group. The number is what `bpftool map dump` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Not the owner: silent, and forwards stale traffic if the owner is known.
    #[default]
    Backup = 0,
    /// About to take over from a live owner: delivers what already reaches it, so that nothing is
    /// lost, but is still silent to ARP and neighbour solicitations, so that there is one answer.
    Claiming = 1,
    /// The owner (RFC 9568 "Active").
    Active = 2,
}

impl Role {
    /// The role behind a number read from a map; an unknown number is `Backup`, the silent one.
    #[must_use]
    pub const fn from_u8(raw: u8) -> Self {
        match raw {
            1 => Self::Claiming,
            2 => Self::Active,
            _ => Self::Backup,
        }
    }

    /// The name in the status, in logs and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Claiming => "claiming",
            Self::Active => "active",
        }
    }
}

/// The role word: who has a group, as one aligned 64-bit word that only the agent writes.
///
/// It is always read and written whole, as the `u64` of [`RoleWord::to_bits`]; the fields are there
/// for `bpftool`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct RoleWord {
    /// A [`Role`].
    pub role: u8,
    /// Generation of the lease under which the word was written (low 8 bits). A word of an older
    /// lease is void, so that a write which was delayed past a lapse cannot make the node Active.
    pub lease: u8,
    /// Slot in `ha_peer` of the Active peer, 0 if unknown: where stale traffic goes.
    pub peer: u16,
    /// Grows with each change of owner; void while not newer than [`Demotion::epoch`].
    pub epoch: u32,
}

impl RoleWord {
    /// The word as the one number that is stored.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        u64::from_ne_bytes({
            let p = self.peer.to_ne_bytes();
            let e = self.epoch.to_ne_bytes();
            [self.role, self.lease, p[0], p[1], e[0], e[1], e[2], e[3]]
        })
    }

    /// The word behind a stored number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let b = bits.to_ne_bytes();
        Self {
            role: b[0],
            lease: b[1],
            peer: u16::from_ne_bytes([b[2], b[3]]),
            epoch: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
}

/// The demotion word: beside the role word, written by the kernel alone.
///
/// A node is not Active for a group while the epoch of its role word is not newer than this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Demotion {
    /// The epoch that was demoted; 0 if none ever was.
    pub epoch: u32,
    /// The priority in the advertisement that demoted it, for `bpftool` and the status.
    pub priority: u32,
}

impl Demotion {
    /// The word as the one number that is stored.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        let e = self.epoch.to_ne_bytes();
        let p = self.priority.to_ne_bytes();
        u64::from_ne_bytes([e[0], e[1], e[2], e[3], p[0], p[1], p[2], p[3]])
    }

    /// The word behind a stored number.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let b = bits.to_ne_bytes();
        Self {
            epoch: u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            priority: u32::from_ne_bytes([b[4], b[5], b[6], b[7]]),
        }
    }
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

/// Value of `ha_group`: who has a group, and what its answers look like.
///
/// The map is memory-mapped by the agent, which stores [`Group::word`] with one aligned write; the
/// element is never updated as a whole, since that would overwrite the kernel's demotion word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Group {
    /// Written by the agent alone.
    pub word: RoleWord,
    /// Written by the kernel alone.
    pub demoted: Demotion,
    /// The interface on which the group is served.
    pub ifindex: u32,
    /// `GROUP_*` bits.
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
    pub name: [u8; 22],
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

/// [`Deliver::kind`]: the local stack.
pub const DELIVER_LOCAL: u32 = 0;

/// Value of `ha_deliver`: where an Active node sends a virtual IP's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Deliver {
    /// A `DELIVER_*`.
    pub kind: u32,
    /// The guest's MAC (unused by the local stack).
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
}

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

/// What an [`Event`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EventKind {
    /// The lease lapsed: the node is fenced.
    LeaseLapsed = 1,
    /// The kernel demoted a group because of a winning advertisement.
    Demoted = 2,
    /// Another MAC claims a virtual IP that this node has.
    ConflictingOwner = 3,
    /// A sender still uses this node although it is not Active.
    StaleSender = 4,
}

impl EventKind {
    /// The kind behind a number in a record.
    #[must_use]
    pub const fn from_u32(raw: u32) -> Option<Self> {
        match raw {
            1 => Some(Self::LeaseLapsed),
            2 => Some(Self::Demoted),
            3 => Some(Self::ConflictingOwner),
            4 => Some(Self::StaleSender),
            _ => None,
        }
    }
}

/// Record in the `ha_event` ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub time_ns: u64,
    /// An [`EventKind`].
    pub kind: u32,
    /// The group, or `u32::MAX` for the node.
    pub group: u32,
    /// Where the frame came in, 0 if none did.
    pub ifindex: u32,
    /// VLAN tags of the frame.
    pub vlan: Vlan,
    /// The virtual IP concerned, v4 as v4-mapped v6.
    pub addr: [u8; 16],
    /// The other party's MAC.
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
}

impl Event {
    /// Octets of a record.
    pub const LEN: usize = size_of::<Self>();

    /// The record behind its octets in the ring.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut rest = bytes.as_slice();
        Self {
            time_ns: u64::from_ne_bytes(take(&mut rest)),
            kind: u32::from_ne_bytes(take(&mut rest)),
            group: u32::from_ne_bytes(take(&mut rest)),
            ifindex: u32::from_ne_bytes(take(&mut rest)),
            vlan: Vlan {
                outer: u16::from_ne_bytes(take(&mut rest)),
                inner: u16::from_ne_bytes(take(&mut rest)),
            },
            addr: take(&mut rest),
            mac: Mac(take(&mut rest)),
            pad: take(&mut rest),
        }
    }
}

/// The next `N` octets of a record, which is as long as its fields together.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (head, tail) = rest
        .split_first_chunk()
        .expect("fields sum up to the record");
    *rest = tail;
    *head
}

const _: () = {
    assert!(size_of::<Vip4Key>() == 8);
    assert!(size_of::<Vip6Key>() == 20);
    assert!(size_of::<Vip>() == 8);
    assert!(size_of::<RoleWord>() == 8);
    assert!(size_of::<Demotion>() == 8);
    assert!(size_of::<Group>() == 64);
    assert!(offset_of!(Group, word) == 0);
    assert!(offset_of!(Group, demoted) == 8);
    assert!(size_of::<Node>() == 72);
    assert!(offset_of!(Node, lease) == 16);
    assert!(size_of::<Peer>() == 28);
    assert!(size_of::<Deliver>() == 12);
    assert!(size_of::<Traffic>() == 16);
    assert!(size_of::<Event>() == 48);
};

#[cfg(feature = "user")]
mod pod {
    use super::{Deliver, Event, Group, Mac, Node, Peer, Traffic, Vip, Vip4Key, Vip6Key};

    macro_rules! pod {
        ($($type:ty),+) => {$(
            // SAFETY: repr(C), Copy, 'static, of integers and byte arrays without padding bytes (the
            // sizes are asserted above), so that every bit pattern is a value of the type.
            unsafe impl aya::Pod for $type {}
        )+};
    }
    pod!(
        Deliver, Event, Group, Mac, Node, Peer, Traffic, Vip, Vip4Key, Vip6Key
    );
}

#[cfg(test)]
mod tests {
    use super::{Event, EventKind, Mac, Vlan};

    #[test]
    fn event_is_its_octets() {
        let mut bytes = [0; Event::LEN];
        bytes[..8].copy_from_slice(&7u64.to_ne_bytes());
        bytes[8..12].copy_from_slice(&(EventKind::StaleSender as u32).to_ne_bytes());
        bytes[12..16].copy_from_slice(&3u32.to_ne_bytes());
        bytes[16..20].copy_from_slice(&2u32.to_ne_bytes());
        bytes[20..22].copy_from_slice(&100u16.to_ne_bytes());
        bytes[22..24].copy_from_slice(&200u16.to_ne_bytes());
        bytes[24..40].copy_from_slice(&[0xfd; 16]);
        bytes[40..46].copy_from_slice(&[2; 6]);
        let event = Event::from_bytes(&bytes);
        assert_eq!(
            event,
            Event {
                time_ns: 7,
                kind: EventKind::StaleSender as u32,
                group: 3,
                ifindex: 2,
                vlan: Vlan {
                    outer: 100,
                    inner: 200,
                },
                addr: [0xfd; 16],
                mac: Mac([2; 6]),
                pad: [0; 2],
            }
        );
        assert_eq!(
            EventKind::from_u32(event.kind),
            Some(EventKind::StaleSender)
        );
    }
}
