//! Names in the kernel.

/// Map names, at most 15 characters so that the kernel keeps them whole.
pub mod map {
    /// Hash: [`Vip4Key`](super::super::Vip4Key) to [`Vip`](super::super::Vip).
    pub const VIP4: &str = "ha_vip4";
    /// Hash: [`Vip6Key`](super::super::Vip6Key) to [`Vip`](super::super::Vip).
    pub const VIP6: &str = "ha_vip6";
    /// Array by group id: [`Group`](super::super::Group). Memory-mappable.
    pub const GROUP: &str = "ha_group";
    /// Array of one: [`Node`](super::super::Node).
    pub const NODE: &str = "ha_node";
    /// Array by peer slot: [`Peer`](super::super::Peer).
    pub const PEER: &str = "ha_peer";
    /// Hash: [`Mac`](super::super::Mac) of a peer's NIC to its peer slot.
    pub const PEER_MAC: &str = "ha_peer_mac";
    /// Hash: [`RouterKey`](super::super::RouterKey) to [`Router`](super::super::Router).
    pub const ROUTER: &str = "ha_router";
    /// Hash: [`RouterPeerKey`](super::super::RouterPeerKey) to a number that means nothing.
    pub const ROUTER_PEER: &str = "ha_vrrp_peer";
    /// Hash: discriminator to [`Reflector`](super::super::Reflector).
    pub const REFLECT: &str = "ha_reflect";
    /// Hash: [`LivePeerKey`](super::super::LivePeerKey) to a slot of `ha_live`.
    pub const LIVE_PEER: &str = "ha_live_peer";
    /// Array by path: [`Live`](super::super::Live). Memory-mappable.
    pub const LIVE: &str = "ha_live";
    /// Hash: [`LivePeerKey`](super::super::LivePeerKey) to [`EchoPeer`](super::super::EchoPeer).
    pub const ECHO: &str = "ha_echo";
    /// Array by delivery slot: [`Deliver`](super::super::Deliver).
    pub const DELIVER: &str = "ha_deliver";
    /// Hash of devices: the slot of a [`Deliver`](super::super::Deliver) to its guest's interface.
    pub const DEV: &str = "ha_dev";
    /// Per-CPU array by [`stat_index`](super::super::stat_index): [`Traffic`](super::super::Traffic).
    pub const STAT: &str = "ha_stat";
    /// Per-CPU array by reason number: [`Traffic`](super::super::Traffic).
    pub const REASON: &str = "ha_reason";
    /// LRU hash: [`StaleKey`](super::super::StaleKey) to [`Stale`](super::super::Stale).
    pub const STALE: &str = "ha_stale";
    /// Ring buffer of [`Event`](super::super::Event).
    pub const EVENT: &str = "ha_event";
    /// Hash: index of a bond's port to [`Port`](super::super::Port).
    pub const PORT: &str = "ha_port";

    /// All of them, in the order in which they are pinned.
    pub const ALL: [&str; 19] = [
        VIP4,
        VIP6,
        GROUP,
        NODE,
        PEER,
        PEER_MAC,
        ROUTER,
        ROUTER_PEER,
        REFLECT,
        LIVE_PEER,
        LIVE,
        ECHO,
        DELIVER,
        DEV,
        STAT,
        REASON,
        STALE,
        EVENT,
        PORT,
    ];
}

/// Maps of one load of the programs, which are not pinned.
pub mod private {
    /// Hash: number of a process to what its exit is watched for, a `WATCH_*`.
    pub const WATCH: &str = "ha_watch";
    /// Per-CPU hash: index of a guest's interface to how many frames the kernel lost on the last step to it.
    pub const LOST: &str = "ha_lost_to";
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
    /// At the egress hook of traffic control on every interface of the configuration: keeps a node from
    /// sending as a virtual IP that it has not.
    pub const EGRESS: &str = "ha_egress";
    /// At the egress hook of traffic control on the loopback interface: sends what programs on this host send to a
    /// virtual IP to the node that has it.
    pub const LOCAL: &str = "ha_local";
    /// At the tracepoint of ending processes.
    pub const EXIT: &str = "ha_exit";
    /// At the tracepoint of frames that were redirected to an interface, of which it may not take all.
    pub const LOST: &str = "ha_lost";
    /// At the tracepoint of frames that could not be redirected.
    pub const REFUSED: &str = "ha_refused";
}
