//! This host's sockets.

use core::ptr::{from_ref, read_volatile};

use aya_ebpf::helpers::{bpf_sk_release, bpf_skc_lookup_tcp};

use super::Maps;
use crate::{
    Packet,
    maps::{Flow, NO_SOCKET},
};

/// `BPF_F_CURRENT_NETNS`, `include/uapi/linux/bpf.h`.
const CURRENT_NETNS: u64 = u64::MAX;

impl Maps {
    /// The state of the socket that would get a packet of this flow.
    #[inline(always)]
    pub(crate) fn tcp4(&self, packet: &Packet, flow: &Flow<[u8; 4]>) -> u32 {
        socket_state(packet, flow)
    }

    #[inline(always)]
    pub(crate) fn tcp6(&self, packet: &Packet, flow: &Flow<[u8; 16]>) -> u32 {
        socket_state(packet, flow)
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
