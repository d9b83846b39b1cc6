//! The BPF maps. Their names, keys and values are the interface to the agent: `ha_common::abi`.

use core::ptr::{from_ref, read_volatile, write_volatile};

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::{Array, DevMapHash, HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, RingBuf},
    cty::c_void,
    helpers::{
        bpf_ktime_get_coarse_ns, bpf_ktime_get_ns, bpf_sk_release, bpf_skc_lookup_tcp,
        bpf_timer_cancel, bpf_timer_init, bpf_timer_set_callback, bpf_timer_start,
    },
    macros::btf_map,
};
use ha_common::{
    abi::{
        Deliver, Demotion, EVENT_RING_BYTES, EchoPeer, Event, Group, Live, LivePeerKey,
        MAX_DELIVER, MAX_ECHO, MAX_GROUPS, MAX_LIVE, MAX_PEERS, MAX_PORTS, MAX_REFLECT,
        MAX_ROUTER_PEERS, MAX_ROUTERS, MAX_STALE, MAX_VIPS, MAX_WATCHED, Mac, Node, Peer, Port,
        Reflector, Reply, RoleWord, Router, RouterKey, RouterPeerKey, Stale, StaleKey, Traffic,
        Vip, Vip4Key, Vip6Key,
    },
    lease::LeaseWord,
    reason::{MAX_REASONS, Reason, Verdict},
};

use super::{Asked, Flow, Limit, NO_SOCKET};
use crate::{Packet, lease};

/// Memory for an entry is taken when it is added: the maps are sized for far more than most nodes
/// have.
const SPARSE: usize = BPF_F_NO_PREALLOC as usize;
const STATS: usize = (MAX_GROUPS * Verdict::COUNT) as usize;

#[btf_map(name = "ha_vip4")]
static VIP4: HashMap<Vip4Key, Vip, { MAX_VIPS as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_vip6")]
static VIP6: HashMap<Vip6Key, Vip, { MAX_VIPS as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_group")]
static GROUP: Array<Group, { MAX_GROUPS as usize }, { BPF_F_MMAPABLE as usize }> = Array::new();

#[btf_map(name = "ha_node")]
static NODE: Array<Node, 1> = Array::new();

#[btf_map(name = "ha_peer")]
static PEER: Array<Peer, { MAX_PEERS as usize }> = Array::new();

#[btf_map(name = "ha_peer_mac")]
static PEER_MAC: HashMap<Mac, u32, { MAX_PEERS as usize }> = HashMap::new();

#[btf_map(name = "ha_router")]
static ROUTER: HashMap<RouterKey, Router, { MAX_ROUTERS as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_vrrp_peer")]
static ROUTER_PEER: HashMap<RouterPeerKey, u32, { MAX_ROUTER_PEERS as usize }, SPARSE> =
    HashMap::new();

#[btf_map(name = "ha_reflect")]
static REFLECT: HashMap<u32, Reflector, { MAX_REFLECT as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_live_peer")]
static LIVE_PEER: HashMap<LivePeerKey, u32, { MAX_LIVE as usize }> = HashMap::new();

#[btf_map(name = "ha_live")]
static LIVE: Array<Live, { MAX_LIVE as usize }, { BPF_F_MMAPABLE as usize }> = Array::new();

#[btf_map(name = "ha_echo")]
static ECHO: HashMap<LivePeerKey, EchoPeer, { MAX_ECHO as usize }, SPARSE> = HashMap::new();

#[btf_map(name = "ha_deliver")]
static DELIVER: Array<Deliver, { MAX_DELIVER as usize }> = Array::new();

#[btf_map(name = "ha_dev")]
static DEV: DevMapHash<{ MAX_DELIVER as usize }> = DevMapHash::new();

#[btf_map(name = "ha_stat")]
static STAT: PerCpuArray<Traffic, STATS> = PerCpuArray::new();

#[btf_map(name = "ha_reason")]
static REASON: PerCpuArray<Traffic, { MAX_REASONS as usize }> = PerCpuArray::new();

#[btf_map(name = "ha_stale")]
static STALE: LruHashMap<StaleKey, Stale, { MAX_STALE as usize }> = LruHashMap::new();

#[btf_map(name = "ha_event")]
static EVENT: RingBuf<Event, { EVENT_RING_BYTES as usize }> = RingBuf::new();

#[btf_map(name = "ha_port")]
static PORT: HashMap<u32, Port, { MAX_PORTS as usize }, SPARSE> = HashMap::new();

/// Of no interest to the agent, so not pinned: each load of the program has its own.
#[btf_map(name = "ha_limit")]
static LIMIT: Array<Limit, { MAX_GROUPS as usize }> = Array::new();

/// As `LIMIT`.
#[btf_map(name = "ha_asked")]
static ASKED: Array<Asked, { Asked::PLACES as usize }> = Array::new();

/// What is watched is forgotten with the agent that watches, so not pinned either.
#[btf_map(name = "ha_watch")]
static WATCH: HashMap<u32, u32, { MAX_WATCHED as usize }> = HashMap::new();

/// As `WATCH`.
#[btf_map(name = "ha_lost_to")]
static LOST: PerCpuHashMap<u32, u64, { MAX_DELIVER as usize }> = PerCpuHashMap::new();

/// The maps of the running program.
pub struct Maps(());

impl Maps {
    /// Access to the maps, for a running program.
    #[inline(always)]
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a program has its maps; there is no value to choose"
    )]
    pub const fn new() -> Self {
        Self(())
    }

    #[inline(always)]
    pub(crate) fn vip4(&self, key: &Vip4Key) -> Option<&Vip> {
        // SAFETY: an element stays readable until the program ends (RCU), and user space replaces
        // elements of this map as a whole.
        unsafe { VIP4.get(key) }
    }

    #[inline(always)]
    pub(crate) fn vip6(&self, key: &Vip6Key) -> Option<&Vip> {
        // SAFETY: as in `vip4`.
        unsafe { VIP6.get(key) }
    }

    /// A slot; zeros if there is none. The two words, which change under way, are each read with one
    /// load; the other fields are written before a group is in use.
    #[inline(always)]
    pub(crate) fn group(&self, slot: u32) -> Group {
        let Some(group) = GROUP.get_ptr(slot) else {
            return Group::default();
        };
        // SAFETY: elements of an array live as long as the map; both words are aligned.
        unsafe {
            Group {
                word: RoleWord::from_bits(read_volatile((&raw const (*group).word).cast())),
                demoted: Demotion::from_bits(read_volatile((&raw const (*group).demoted).cast())),
                ..*group
            }
        }
    }

    /// Writes the demotion word. This program is its only writer, on any of the processors.
    #[inline(always)]
    pub(crate) fn set_demoted(&mut self, slot: u32, demoted: Demotion) {
        if let Some(group) = GROUP.get_ptr_mut(slot) {
            // SAFETY: as in `group`; written with one store.
            unsafe { write_volatile((&raw mut (*group).demoted).cast(), demoted.to_bits()) };
        }
    }

    #[inline(always)]
    pub(crate) fn router(&self, key: &RouterKey) -> Option<&Router> {
        // SAFETY: as in `vip4`.
        unsafe { ROUTER.get(key) }
    }

    #[inline(always)]
    pub(crate) fn is_router_peer(&self, key: &RouterPeerKey) -> bool {
        ROUTER_PEER.get_ptr(key).is_some()
    }

    #[inline(always)]
    pub(crate) fn reflector(&self, discriminator: u32) -> Option<&Reflector> {
        // SAFETY: as in `vip4`.
        unsafe { REFLECT.get(&discriminator) }
    }

    #[inline(always)]
    pub(crate) fn live_peer(&self, key: &LivePeerKey) -> Option<u32> {
        // SAFETY: as in `vip4`.
        unsafe { LIVE_PEER.get(key).copied() }
    }

    /// Zero if there is no such path.
    #[inline(always)]
    pub(crate) fn live_session(&self, slot: u32) -> u32 {
        // SAFETY: as in `group`; written before the path has a slot.
        LIVE.get_ptr(slot).map_or(0, |live| unsafe {
            read_volatile(&raw const (*live).session)
        })
    }

    /// A path's packets come in on one processor at a time, so the counts are as good as exact. The stamp
    /// comes last: who sees it sees what it is the stamp of.
    #[inline(always)]
    pub(crate) fn note_reply(&mut self, slot: u32, reply: Reply) {
        let now = self.now_ns();
        if let Some(live) = LIVE.get_ptr_mut(slot) {
            // SAFETY: as in `set_demoted`.
            unsafe {
                (*live).replies += 1;
                write_volatile((&raw mut (*live).reply).cast(), reply.to_bits());
                write_volatile(&raw mut (*live).replied_ns, now);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn note_request(&mut self, slot: u32, view: u32) {
        let now = self.now_ns();
        if let Some(live) = LIVE.get_ptr_mut(slot) {
            // SAFETY: as in `set_demoted`.
            unsafe {
                (*live).requests += 1;
                write_volatile(&raw mut (*live).view, view);
                write_volatile(&raw mut (*live).asked_ns, now);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn echo_peer(&self, key: &LivePeerKey) -> Option<&EchoPeer> {
        // SAFETY: as in `vip4`.
        unsafe { ECHO.get(key) }
    }

    #[inline(always)]
    pub(crate) fn peer(&self, slot: u32) -> Option<&Peer> {
        // A peer's MAC is written once, before a role word names its slot.
        PEER.get(slot)
    }

    #[inline(always)]
    pub(crate) fn is_peer(&self, mac: &Mac) -> bool {
        PEER_MAC.get_ptr(mac).is_some()
    }

    /// What its end is watched for; zero if it is not.
    #[inline(always)]
    pub(crate) fn watched(&self, process: u32) -> u32 {
        // SAFETY: as in `vip4`.
        unsafe { WATCH.get(&process).copied().unwrap_or(0) }
    }

    /// Zeros if it is no port of a bond.
    #[inline(always)]
    pub(crate) fn port(&self, ifindex: u32) -> Port {
        // SAFETY: as in `vip4`.
        unsafe { PORT.get(&ifindex).copied().unwrap_or_default() }
    }

    #[inline(always)]
    pub(crate) fn deliver(&self, slot: u32) -> Option<&Deliver> {
        DELIVER.get(slot)
    }

    /// Has the frame go to the interface of a slot, if the program's action is to redirect it. Returns whether
    /// there is one.
    #[inline(always)]
    pub(crate) fn redirect(&mut self, slot: u32) -> bool {
        DEV.redirect(slot, 0).is_ok()
    }

    /// Counts frames that were redirected to an interface and did not arrive there, if it is a guest's.
    #[inline(always)]
    pub(crate) fn count_lost(&mut self, ifindex: u32, frames: u64) {
        let Some(lost) = LOST.get_ptr_mut(&ifindex) else {
            return;
        };
        // SAFETY: as in `count`.
        unsafe { *lost += frames };
        if let Some(traffic) = REASON.get_ptr_mut(Reason::GuestLost as u32) {
            // SAFETY: as in `count`.
            unsafe { (*traffic).packets += frames };
        }
    }

    #[inline(always)]
    pub(crate) fn count_reason(&mut self, reason: u32, bytes: u64) {
        if let Some(traffic) = REASON.get_ptr_mut(reason) {
            count(traffic, bytes);
        }
    }

    #[inline(always)]
    pub(crate) fn count_stat(&mut self, index: u32, bytes: u64) {
        if let Some(traffic) = STAT.get_ptr_mut(index) {
            count(traffic, bytes);
        }
    }

    /// Counts a frame of a sender. One that two processors count at the same moment may count once.
    #[inline(always)]
    pub(crate) fn count_stale(&mut self, key: &StaleKey) {
        let last_ns = self.coarse_now_ns();
        match STALE.get_ptr_mut(key) {
            // SAFETY: an element is memory of the map; at worst another sender has its place by now, and is counted
            // once too often.
            Some(stale) => unsafe {
                (*stale).frames += 1;
                (*stale).last_ns = last_ns;
            },
            None => {
                // Only when another processor adds it at this moment, or memory is short.
                let _ = STALE.insert(key, Stale { frames: 1, last_ns }, 0);
            }
        }
    }

    /// Sends a record. One that finds the ring full is lost: the counters still have it.
    #[inline(always)]
    pub(crate) fn send(&mut self, event: &Event) {
        if let Some(mut record) = EVENT.reserve(0) {
            record.write(*event);
            record.submit(0);
        }
    }

    #[inline(always)]
    pub(crate) fn limit(&self, group: u32) -> Option<&Limit> {
        // Another processor may write it at this moment; at worst an event is sent once too often.
        LIMIT.get(group)
    }

    #[inline(always)]
    pub(crate) fn set_limit(&mut self, group: u32, limit: Limit) {
        if let Some(slot) = LIMIT.get_ptr_mut(group) {
            // SAFETY: elements of an array live as long as the map.
            unsafe { *slot = limit };
        }
    }

    #[inline(always)]
    pub(crate) fn asked(&self, place: u32) -> Asked {
        // Another processor may write it at this moment; at worst a question is answered twice.
        ASKED.get(place).copied().unwrap_or_default()
    }

    #[inline(always)]
    pub(crate) fn set_asked(&mut self, place: u32, asked: Asked) {
        if let Some(slot) = ASKED.get_ptr_mut(place) {
            // SAFETY: as in `set_limit`.
            unsafe { *slot = asked };
        }
    }

    /// The state of the socket that would get a packet of this flow.
    #[inline(always)]
    pub(crate) fn tcp4(&self, packet: &Packet, flow: &Flow<[u8; 4]>) -> u32 {
        socket_state(packet, flow)
    }

    #[inline(always)]
    pub(crate) fn tcp6(&self, packet: &Packet, flow: &Flow<[u8; 16]>) -> u32 {
        socket_state(packet, flow)
    }

    #[inline(always)]
    pub(crate) fn now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_ns() }
    }

    /// Exact to a tick, and cheaper than [`Self::now_ns`].
    #[inline(always)]
    pub(crate) fn coarse_now_ns(&self) -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_ktime_get_coarse_ns() }
    }

    #[inline(always)]
    pub(crate) fn lease(&self) -> LeaseWord {
        NODE.get_ptr(0).map_or_else(LeaseWord::default, |node| {
            // SAFETY: as in `group`; the word is aligned and read with one load.
            LeaseWord::from_bits(unsafe { read_volatile((&raw const (*node).lease).cast()) })
        })
    }

    #[inline(always)]
    pub(crate) fn set_lease(&mut self, word: LeaseWord) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `lease`; written with one store.
            unsafe { write_volatile((&raw mut (*node).lease).cast(), word.to_bits()) };
        }
    }

    /// Sets the timer up, so that it calls this program's [`on_timer`] and not that of an agent
    /// before. Returns whether the kernel agreed.
    #[inline(always)]
    pub(crate) fn prepare_timer(&mut self) -> bool {
        let Some(node) = NODE.get_ptr_mut(0) else {
            return false;
        };
        // SAFETY: the timer lies in an element of the map that is named.
        unsafe {
            let timer = (&raw mut (*node).timer).cast();
            let map = from_ref(&NODE).cast_mut().cast::<c_void>();
            let made = bpf_timer_init(timer, map, CLOCK_MONOTONIC);
            if made != 0 && made != -EBUSY {
                return false;
            }
            (*node).timer_ready = 1;
            bpf_timer_set_callback(timer, on_timer as *mut c_void) == 0
        }
    }

    #[inline(always)]
    pub(crate) fn start_timer(&mut self, length_ns: u64) -> bool {
        NODE.get_ptr_mut(0).is_some_and(|node| {
            // SAFETY: as in `prepare_timer`.
            unsafe { bpf_timer_start((&raw mut (*node).timer).cast(), length_ns, 0) == 0 }
        })
    }

    /// Stops the timer, and waits for it if it is just firing.
    #[inline(always)]
    pub(crate) fn stop_timer(&mut self) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `prepare_timer`. The result says whether it was running.
            unsafe { bpf_timer_cancel((&raw mut (*node).timer).cast()) };
        }
    }

    #[inline(always)]
    pub(crate) fn note_renewal(&mut self, length_ns: u64) {
        let now = self.now_ns();
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `group`; only the lease program writes these fields.
            unsafe {
                (*node).length_ns = length_ns;
                (*node).renewed_ns = now;
                (*node).renewals += 1;
            }
        }
    }

    #[inline(always)]
    pub(crate) fn note_lapse(&mut self, now_ns: u64) {
        if let Some(node) = NODE.get_ptr_mut(0) {
            // SAFETY: as in `group`; only the timer writes these fields.
            unsafe {
                (*node).lapsed_ns = now_ns;
                (*node).lapses += 1;
            }
        }
    }
}

/// Asks the kernel for a socket in the network namespace of the interface. `skc` finds handshakes and `TIME_WAIT`, too,
/// as what they are.
#[inline(always)]
fn socket_state<A>(packet: &Packet, flow: &Flow<A>) -> u32 {
    let tuple = from_ref(flow).cast_mut().cast();
    let len = size_of::<Flow<A>>() as u32;
    // SAFETY: the tuple has the layout and one of the two lengths that the kernel knows, and is only read. The socket
    // is held until it is released.
    unsafe {
        let socket = bpf_skc_lookup_tcp(packet.context(), tuple, len, CURRENT_NETNS, 0);
        if socket.is_null() {
            return NO_SOCKET;
        }
        let state = read_volatile(&raw const (*socket).state);
        bpf_sk_release(socket.cast());
        state
    }
}

/// `BPF_F_CURRENT_NETNS`, `include/uapi/linux/bpf.h`.
const CURRENT_NETNS: u64 = u64::MAX;

/// `CLOCK_MONOTONIC`, `include/uapi/linux/time.h`.
const CLOCK_MONOTONIC: u64 = 1;
/// `bpf_timer_init` on a timer that is set up already.
const EBUSY: i64 = 16;

/// Called by the kernel when the lease was not renewed in time.
unsafe extern "C" fn on_timer(_map: *mut c_void, _key: *mut u32, _node: *mut Node) -> i32 {
    lease::lapse(&mut Maps::new());
    0
}

#[inline(always)]
fn count(traffic: *mut Traffic, bytes: u64) {
    // SAFETY: an element of a per-CPU array, which no other processor writes.
    unsafe {
        (*traffic).packets += 1;
        (*traffic).bytes += bytes;
    }
}
