//! Just before an owner lets go: what is new goes to the heir, which delivers it, and what has been begun ends here.
//!
//! A connection whose handshake the one node begins and the other ends would be reset. So a segment stays where its
//! connection is, and everything that needs no connection, or begins one, goes on. ICMP stays: it is about what has been
//! begun. So do damaged packets, those that cannot go another hop, fragments, and what has options or extension headers,
//! where the ports are not in their usual place.

use ha_common::{
    abi::{GROUP_SETTLES, GROUP_STALE_DROP},
    fence::Standing,
    wire::{icmp, ipv6, tcp},
};

use crate::{
    fence::Served,
    frame::Hit,
    maps::{Flow, Maps, NO_SOCKET},
    packet::Packet,
    steer::Header,
};

/// Kernel states of a socket (`include/net/tcp_states.h`).
const TIME_WAIT: u32 = 6;
const LISTEN: u32 = 10;

/// Whether a packet for this node's group is to go on to the heir.
#[inline(always)]
pub(crate) fn goes_on<H: Header>(packet: &Packet, maps: &Maps, hit: &Hit, served: &Served) -> bool {
    served.standing == Standing::Active
        && served.group.flags & (GROUP_SETTLES | GROUP_STALE_DROP) == GROUP_SETTLES
        && hit.is_at_home(&served.group)
        // A guest's connections are known to the guest alone.
        && hit.vip.deliver == 0
        && !maps.is_peer(&hit.src)
        && is_new::<H>(packet, maps, hit.l3)
}

/// A function of its own: what the verifier learns of the packet here it forgets at the end, and so does not look at the
/// delivery once for each way through.
#[inline(never)]
fn is_new<H: Header>(packet: &Packet, maps: &Maps, l3: usize) -> bool {
    packet
        .get::<H>(l3)
        .is_some_and(|header| header.is_new(packet, maps, l3))
}

/// The same of what follows an IP header that is not a fragment's and has no options.
#[inline(always)]
pub(crate) fn is_new_payload(protocol: u8, is_new_segment: impl FnOnce() -> bool) -> bool {
    match protocol {
        tcp::PROTOCOL => is_new_segment(),
        icmp::PROTOCOL_V4
        | icmp::PROTOCOL_V6
        | ipv6::HOP_BY_HOP
        | ipv6::ROUTING
        | ipv6::FRAGMENT
        | ipv6::DESTINATION_OPTIONS => false,
        _ => true,
    }
}

/// Whether a segment belongs to no connection of this node, when the socket that would get it is in `state`. One that
/// waits in vain for late segments gives way to a new connection (RFC 9293 section 3.6.1).
#[inline(always)]
pub(crate) const fn is_new_segment(segment: &tcp::Header, state: u32) -> bool {
    match state {
        NO_SOCKET | LISTEN => true,
        TIME_WAIT => segment.flags & tcp::SYN != 0,
        _ => false,
    }
}

/// The connection of a segment.
#[inline(always)]
pub(crate) const fn flow<A: Copy>(src: A, dst: A, segment: &tcp::Header) -> Flow<A> {
    Flow {
        src,
        dst,
        src_port: segment.src_port,
        dst_port: segment.dst_port,
    }
}

#[cfg(test)]
mod tests {
    use ha_common::wire::tcp;

    use super::{LISTEN, NO_SOCKET, TIME_WAIT, is_new_payload, is_new_segment};

    const ESTABLISHED: u32 = 1;
    /// A handshake that waits for its last segment.
    const NEW_SYN_RECV: u32 = 12;

    #[test]
    fn a_segment_stays_where_its_connection_is() {
        let segment = |flags| tcp::Header {
            flags,
            ..tcp::Header::default()
        };
        const ACK: u8 = 1 << 4;
        for (flags, state, expected) in [
            (tcp::SYN, NO_SOCKET, true),
            (tcp::SYN, LISTEN, true),
            (ACK, NO_SOCKET, true),
            (ACK, LISTEN, true),
            (tcp::SYN, TIME_WAIT, true),
            (ACK, TIME_WAIT, false),
            (tcp::SYN, NEW_SYN_RECV, false),
            (ACK, NEW_SYN_RECV, false),
            (ACK, ESTABLISHED, false),
            (tcp::SYN, ESTABLISHED, false),
        ] {
            let is_new = is_new_segment(&segment(flags), state);
            assert_eq!(is_new, expected, "{flags:#x} for a socket in {state}");
        }
    }

    #[test]
    fn only_tcp_is_looked_at_more_closely() {
        assert!(is_new_payload(tcp::PROTOCOL, || true));
        assert!(!is_new_payload(tcp::PROTOCOL, || false));
        for (protocol, expected) in [
            (17, true),
            (132, true),
            (1, false),
            (58, false),
            (44, false),
        ] {
            let found = is_new_payload(protocol, || panic!("it has no connections"));
            assert_eq!(found, expected, "{protocol}");
        }
    }
}
