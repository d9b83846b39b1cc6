//! The maps as the kernel has them.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::{Array, DevMapHash, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, RingBuf},
    macros::btf_map,
};
use ha_common::{
    abi::{
        Deliver, EVENT_RING_BYTES, EchoPeer, Event, Group, Live, LivePeerKey, MAX_DELIVER,
        MAX_ECHO, MAX_GROUPS, MAX_LIVE, MAX_PEERS, MAX_PORTS, MAX_REFLECT, MAX_ROUTER_PEERS,
        MAX_ROUTERS, MAX_STALE, MAX_VIPS, MAX_WATCHED, Mac, Node, Peer, Port, Reflector, Router,
        RouterKey, RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key, Vip6Key,
    },
    reason::{MAX_REASONS, Verdict},
};

use crate::maps::{Asked, Limit};

/// Memory for an entry is taken when it is added: the maps are sized for far more than most nodes
/// have.
const SPARSE: usize = BPF_F_NO_PREALLOC as usize;
const STATS: usize = (MAX_GROUPS * Verdict::COUNT) as usize;

#[btf_map(name = "ha_vip4")]
pub(super) static VIP4: HashMap<Vip4Key, Vip, { MAX_VIPS as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_vip6")]
pub(super) static VIP6: HashMap<Vip6Key, Vip, { MAX_VIPS as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_group")]
pub(super) static GROUP: Array<Group, { MAX_GROUPS as usize }, { BPF_F_MMAPABLE as usize }> =
    Array::new();

#[btf_map(name = "ha_node")]
pub(super) static NODE: Array<Node, 1> = Array::new();

#[btf_map(name = "ha_peer")]
pub(super) static PEER: Array<Peer, { MAX_PEERS as usize }> = Array::new();

#[btf_map(name = "ha_peer_mac")]
pub(super) static PEER_MAC: HashMap<Mac, u32, { MAX_PEERS as usize }> = HashMap::new();

#[btf_map(name = "ha_router")]
pub(super) static ROUTER: HashMap<RouterKey, Router, { MAX_ROUTERS as usize }, SPARSE> =
    HashMap::new();

#[btf_map(name = "ha_vrrp_peer")]
pub(super) static ROUTER_PEER: HashMap<RouterPeerKey, u32, { MAX_ROUTER_PEERS as usize }, SPARSE> =
    HashMap::new();

#[btf_map(name = "ha_reflect")]
pub(super) static REFLECT: HashMap<u32, Reflector, { MAX_REFLECT as usize }, SPARSE> =
    HashMap::new();

#[btf_map(name = "ha_live_peer")]
pub(super) static LIVE_PEER: HashMap<LivePeerKey, u32, { MAX_LIVE as usize }> = HashMap::new();

#[btf_map(name = "ha_live")]
pub(super) static LIVE: Array<Live, { MAX_LIVE as usize }, { BPF_F_MMAPABLE as usize }> =
    Array::new();

#[btf_map(name = "ha_echo")]
pub(super) static ECHO: HashMap<LivePeerKey, EchoPeer, { MAX_ECHO as usize }, SPARSE> =
    HashMap::new();

#[btf_map(name = "ha_deliver")]
pub(super) static DELIVER: Array<Deliver, { MAX_DELIVER as usize }> = Array::new();

#[btf_map(name = "ha_dev")]
pub(super) static DEV: DevMapHash<{ MAX_DELIVER as usize }> = DevMapHash::new();

#[btf_map(name = "ha_stat")]
pub(super) static STAT: PerCpuArray<Traffic, STATS> = PerCpuArray::new();

#[btf_map(name = "ha_reason")]
pub(super) static REASON: PerCpuArray<Traffic, { MAX_REASONS as usize }> = PerCpuArray::new();

#[btf_map(name = "ha_stale")]
pub(super) static STALE: LruHashMap<StaleKey, Stale, { MAX_STALE as usize }> = LruHashMap::new();

#[btf_map(name = "ha_event")]
pub(super) static EVENT: RingBuf<Event, { EVENT_RING_BYTES as usize }> = RingBuf::new();

#[btf_map(name = "ha_port")]
pub(super) static PORT: HashMap<u32, Port, { MAX_PORTS as usize }, SPARSE> = HashMap::new();

/// Of no interest to the agent, so not pinned: each load of the program has its own.
#[btf_map(name = "ha_limit")]
pub(super) static LIMIT: Array<Limit, { MAX_GROUPS as usize }> = Array::new();

/// As `LIMIT`.
#[btf_map(name = "ha_asked")]
pub(super) static ASKED: Array<Asked, { Asked::PLACES as usize }> = Array::new();

/// What is watched is forgotten with the agent that watches, so not pinned either.
#[btf_map(name = "ha_watch")]
pub(super) static WATCH: HashMap<u32, u32, { MAX_WATCHED as usize }> = HashMap::new();

/// As `WATCH`.
#[btf_map(name = "ha_lost_to")]
pub(super) static LOST: PerCpuHashMap<u32, u64, { MAX_DELIVER as usize }> = PerCpuHashMap::new();
