//! Headers one after the other.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, BytesMut};
use ha_common::{
    abi::{Mac, Vlan},
    wire::{checksum::Sum, eth, ipv4, ipv6},
};

/// Adds an Ethernet header with the tags of `vlan`.
pub(super) fn ethernet(frame: &mut BytesMut, dst: Mac, src: Mac, vlan: Vlan, ethertype: u16) {
    frame.put_slice(&dst.0);
    frame.put_slice(&src.0);
    let tags: &[(u16, u16)] = match (vlan.outer, vlan.inner) {
        (0, _) => &[],
        (outer, 0) => &[(eth::ETHERTYPE_VLAN, outer)],
        (outer, inner) => &[
            (eth::ETHERTYPE_SERVICE_VLAN, outer),
            (eth::ETHERTYPE_VLAN, inner),
        ],
    };
    for (kind, id) in tags {
        frame.put_u16(*kind);
        frame.put_u16(*id);
    }
    frame.put_u16(ethertype);
}

/// Adds an IPv4 header for `payload_len` octets.
pub(super) fn ipv4(
    frame: &mut BytesMut,
    (src, dst): (Ipv4Addr, Ipv4Addr),
    protocol: u8,
    ttl: u8,
    payload_len: u16,
) {
    const VERSION_LENGTH: u8 = ipv4::VERSION << 4 | (ipv4::HEADER_LEN / 4) as u8;
    /// Precedence "internetwork control", as routing protocols have it (RFC 791 section 3.1).
    const TOS: u8 = 0xc0;
    let mut header = [0; ipv4::HEADER_LEN];
    header[0] = VERSION_LENGTH;
    header[1] = TOS;
    header[2..4].copy_from_slice(&(ipv4::HEADER_LEN as u16 + payload_len).to_be_bytes());
    header[8] = ttl;
    header[9] = protocol;
    header[12..16].copy_from_slice(&src.octets());
    header[16..20].copy_from_slice(&dst.octets());
    let checksum = sum(Sum::ZERO, &header).checksum();
    header[10..12].copy_from_slice(&checksum);
    frame.put_slice(&header);
}

/// Adds an IPv6 header for `payload_len` octets.
pub(super) fn ipv6(
    frame: &mut BytesMut,
    (src, dst): (Ipv6Addr, Ipv6Addr),
    next_header: u8,
    hop_limit: u8,
    payload_len: u16,
) {
    /// Version 6, traffic class "internetwork control" (CS6, RFC 4594 section 3.1).
    const VERSION_CLASS_FLOW: [u8; 4] = [ipv6::VERSION << 4 | 0x0c, 0, 0, 0];
    frame.put_slice(&VERSION_CLASS_FLOW);
    frame.put_u16(payload_len);
    frame.put_slice(&[next_header, hop_limit]);
    frame.put_slice(&src.octets());
    frame.put_slice(&dst.octets());
}

/// Adds an even number of octets to a checksum.
pub(super) fn sum(sum: Sum, octets: &[u8]) -> Sum {
    octets.as_chunks().0.iter().copied().fold(sum, Sum::add)
}
