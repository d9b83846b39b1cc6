//! The maps on the host: what the kernel's maps hold, for tests that run the data path there.

use std::collections::{HashMap, HashSet};

use ha_common::{
    abi::{
        Deliver, Demotion, EchoPeer, Event, Group, Live, LivePeerKey, Mac, Node, Peer, Port,
        Reflector, Reply, Router, RouterKey, RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key,
        Vip6Key,
    },
    lease::LeaseWord,
};

use super::{Asked, Flow, Limit, NO_SOCKET};
use crate::{Packet, lease};

/// A model of the maps, of the clock and of the lease's timer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maps {
    /// `ha_vip4`.
    pub vip4: HashMap<Vip4Key, Vip>,
    /// `ha_vip6`.
    pub vip6: HashMap<Vip6Key, Vip>,
    /// `ha_group`; slots that are not here are all zeros.
    pub groups: HashMap<u32, Group>,
    /// `ha_node`.
    pub node: Node,
    /// `ha_peer`; slots that are not here are all zeros.
    pub peers: HashMap<u32, Peer>,
    /// `ha_peer_mac`.
    pub peer_macs: HashMap<Mac, u32>,
    /// `ha_router`.
    pub routers: HashMap<RouterKey, Router>,
    /// `ha_vrrp_peer`.
    pub router_peers: HashMap<RouterPeerKey, u32>,
    /// `ha_reflect`.
    pub reflectors: HashMap<u32, Reflector>,
    /// `ha_live_peer`.
    pub live_peers: HashMap<LivePeerKey, u32>,
    /// `ha_live`; slots that are not here are all zeros.
    pub live: HashMap<u32, Live>,
    /// `ha_echo`.
    pub echo_peers: HashMap<LivePeerKey, EchoPeer>,
    /// `ha_deliver`; slots that are not here are all zeros.
    pub deliver: HashMap<u32, Deliver>,
    /// `ha_dev`: the slots that have a device.
    pub devices: HashSet<u32>,
    /// `ha_reason`: what is not here has not been counted.
    pub reasons: HashMap<u32, Traffic>,
    /// `ha_stat`: what is not here has not been counted.
    pub stats: HashMap<u32, Traffic>,
    /// `ha_stale`.
    pub stale: HashMap<StaleKey, Stale>,
    /// `ha_event`: all records so far.
    pub events: Vec<Event>,
    /// `ha_port`.
    pub ports: HashMap<u32, Port>,
    /// `ha_limit`.
    pub limits: HashMap<u32, Limit>,
    /// `ha_asked`.
    pub asked: HashMap<u32, Asked>,
    /// The host's TCP sockets over IPv4, and the kernel's number of their state.
    pub tcp4: HashMap<Flow<[u8; 4]>, u32>,
    /// The same over IPv6.
    pub tcp6: HashMap<Flow<[u8; 16]>, u32>,
    /// The clock, nanoseconds.
    pub clock_ns: u64,
    /// When the lease's timer fires.
    pub timer_ns: Option<u64>,
}

impl Maps {
    /// Lets time pass. The timer fires if its time has come.
    pub fn advance(&mut self, by_ns: u64) {
        self.clock_ns += by_ns;
        if self.timer_ns.is_some_and(|fires| fires <= self.clock_ns) {
            self.timer_ns = None;
            lease::lapse(self);
        }
    }

    pub(crate) fn vip4(&self, key: &Vip4Key) -> Option<&Vip> {
        self.vip4.get(key)
    }

    pub(crate) fn vip6(&self, key: &Vip6Key) -> Option<&Vip> {
        self.vip6.get(key)
    }

    pub(crate) fn group(&self, slot: u32) -> Group {
        self.groups.get(&slot).copied().unwrap_or_default()
    }

    pub(crate) fn set_demoted(&mut self, slot: u32, demoted: Demotion) {
        self.groups.entry(slot).or_default().demoted = demoted;
    }

    pub(crate) fn router(&self, key: &RouterKey) -> Option<&Router> {
        self.routers.get(key)
    }

    pub(crate) fn is_router_peer(&self, key: &RouterPeerKey) -> bool {
        self.router_peers.contains_key(key)
    }

    pub(crate) fn reflector(&self, discriminator: u32) -> Option<&Reflector> {
        self.reflectors.get(&discriminator)
    }

    pub(crate) fn live_peer(&self, key: &LivePeerKey) -> Option<u32> {
        self.live_peers.get(key).copied()
    }

    pub(crate) fn live_session(&self, slot: u32) -> u32 {
        self.live.get(&slot).map_or(0, |live| live.session)
    }

    pub(crate) fn note_reply(&mut self, slot: u32, reply: Reply) {
        let live = self.live.entry(slot).or_default();
        live.replies += 1;
        live.reply = reply;
        live.replied_ns = self.clock_ns;
    }

    pub(crate) fn note_request(&mut self, slot: u32, view: u32) {
        let live = self.live.entry(slot).or_default();
        live.requests += 1;
        live.view = view;
        live.asked_ns = self.clock_ns;
    }

    pub(crate) fn echo_peer(&self, key: &LivePeerKey) -> Option<&EchoPeer> {
        self.echo_peers.get(key)
    }

    pub(crate) fn peer(&self, slot: u32) -> Option<&Peer> {
        self.peers.get(&slot)
    }

    pub(crate) fn is_peer(&self, mac: &Mac) -> bool {
        self.peer_macs.contains_key(mac)
    }

    pub(crate) fn port(&self, ifindex: u32) -> Port {
        self.ports.get(&ifindex).copied().unwrap_or_default()
    }

    pub(crate) fn deliver(&self, slot: u32) -> Option<&Deliver> {
        self.deliver.get(&slot)
    }

    pub(crate) fn redirect(&mut self, slot: u32) -> bool {
        self.devices.contains(&slot)
    }

    pub(crate) fn count_reason(&mut self, reason: u32, bytes: u64) {
        count(self.reasons.entry(reason).or_default(), bytes);
    }

    pub(crate) fn count_stat(&mut self, index: u32, bytes: u64) {
        count(self.stats.entry(index).or_default(), bytes);
    }

    pub(crate) fn count_stale(&mut self, key: &StaleKey) {
        let stale = self.stale.entry(*key).or_default();
        stale.frames += 1;
        stale.last_ns = self.clock_ns;
    }

    pub(crate) fn send(&mut self, event: &Event) {
        self.events.push(*event);
    }

    pub(crate) fn limit(&self, group: u32) -> Option<&Limit> {
        const NEVER: Limit = Limit {
            conflicting_owner_ns: 0,
            stale_sender_ns: 0,
        };
        Some(self.limits.get(&group).unwrap_or(&NEVER))
    }

    pub(crate) fn set_limit(&mut self, group: u32, limit: Limit) {
        self.limits.insert(group, limit);
    }

    pub(crate) fn asked(&self, place: u32) -> Asked {
        self.asked.get(&place).copied().unwrap_or_default()
    }

    pub(crate) fn set_asked(&mut self, place: u32, asked: Asked) {
        self.asked.insert(place, asked);
    }

    pub(crate) fn tcp4(&self, _: &Packet, flow: &Flow<[u8; 4]>) -> u32 {
        self.tcp4.get(flow).copied().unwrap_or(NO_SOCKET)
    }

    pub(crate) fn tcp6(&self, _: &Packet, flow: &Flow<[u8; 16]>) -> u32 {
        self.tcp6.get(flow).copied().unwrap_or(NO_SOCKET)
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.clock_ns
    }

    pub(crate) fn coarse_now_ns(&self) -> u64 {
        self.clock_ns
    }

    pub(crate) fn lease(&self) -> LeaseWord {
        self.node.lease
    }

    pub(crate) fn set_lease(&mut self, word: LeaseWord) {
        self.node.lease = word;
    }

    pub(crate) fn prepare_timer(&mut self) -> bool {
        self.node.timer_ready = 1;
        true
    }

    pub(crate) fn start_timer(&mut self, length_ns: u64) -> bool {
        self.timer_ns = Some(self.clock_ns + length_ns);
        true
    }

    pub(crate) fn stop_timer(&mut self) {
        self.timer_ns = None;
    }

    pub(crate) fn note_renewal(&mut self, length_ns: u64) {
        self.node.length_ns = length_ns;
        self.node.renewed_ns = self.clock_ns;
        self.node.renewals += 1;
    }

    pub(crate) fn note_lapse(&mut self, now_ns: u64) {
        self.node.lapsed_ns = now_ns;
        self.node.lapses += 1;
    }
}

fn count(traffic: &mut Traffic, bytes: u64) {
    traffic.packets += 1;
    traffic.bytes += bytes;
}
