//! UDP sockets for control packets that stay on the link.

use std::io;

use ha_common::wire::bfd::HOP_LIMIT;
use socket2::{Domain, Protocol, Socket, Type};

/// Type of service of network control (RFC 2474 section 4.2.2.2, class selector 6).
const CONTROL: u32 = 0xc0;

/// A socket of one family that sends and receives over this interface only, and never waits. What it sends has
/// the greatest TTL, so that the receiver can tell that no router was in between (RFC 5082).
pub(crate) fn open(interface: &str, is_v4: bool) -> io::Result<Socket> {
    let domain = if is_v4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    let hops = u32::from(HOP_LIMIT);
    if is_v4 {
        socket.set_ttl_v4(hops)?;
        socket.set_tos_v4(CONTROL)?;
    } else {
        // The other family has sockets of its own.
        socket.set_only_v6(true)?;
        socket.set_unicast_hops_v6(hops)?;
        socket.set_tclass_v6(CONTROL)?;
    }
    Ok(socket)
}
