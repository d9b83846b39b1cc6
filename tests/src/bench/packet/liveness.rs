//! Frames of liveness, and what a node has to know to take them.

use std::net::Ipv4Addr;

use anyhow::Result;
use ha_common::{
    abi::{EchoPeer, Live, LivePeerKey, REFLECT_NODE, Reflector, SEQUENCE_BITS},
    wire::bfd::{Control, ECHO_PORT, FLAG_DEMAND, SEAMLESS_PORT, State, VERSION},
};
use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{IpProtocol, Ipv4Packet, Ipv4Repr, UdpPacket},
};

use super::{
    IFINDEX,
    paths::{Frame, NIC, NODE4, ethernet},
};
use crate::bpf::DataPath;

/// The peer that probes this node, is probed by it, and is its BFD neighbour.
const PEER4: Ipv4Addr = Ipv4Addr::new(10, 4, 0, 2);
/// Where a node's probes come from.
const ASKER: u16 = 50_123;
/// This node's discriminator, and the peer's, whose last two octets differ from frame to frame.
const OURS: u32 = 0x0a00_0001;
const THEIRS: u32 = 0x0b00_0000;
/// With which session this node asks the peer.
const SESSION: u32 = 1;
const SLOT: u32 = 0;
/// Where the last two octets of the sender's discriminator are: behind Ethernet, IP, UDP, and six octets.
const SENDER: usize = 14 + 20 + 8 + 6;

/// Makes the peer known.
pub(super) fn prepare(node: &mut DataPath) -> Result<()> {
    let reflector = Reflector {
        group: REFLECT_NODE,
        min_rx_us: 1_000,
    };
    node.reflect()?.insert(OURS, reflector, 0)?;
    let key = LivePeerKey {
        addr: PEER4.to_ipv6_mapped().octets(),
        ifindex: IFINDEX,
    };
    node.live_peer()?.insert(key, SLOT, 0)?;
    let live = Live {
        session: SESSION,
        ..Live::default()
    };
    node.live()?.set(SLOT, live, 0)?;
    let echo = EchoPeer {
        nic: NIC,
        pad: [0; 2],
    };
    Ok(node.echo()?.insert(key, echo, 0)?)
}

/// Seamless BFD: a request to this node.
pub(super) fn request() -> Frame {
    frame((ASKER, SEAMLESS_PORT), NODE4, control(OURS, FLAG_DEMAND))
}

/// The reply to one of this node.
pub(super) fn reply() -> Frame {
    frame(
        (SEAMLESS_PORT, ASKER),
        NODE4,
        control(SESSION << SEQUENCE_BITS, 0),
    )
}

/// An echo packet of plain BFD, to its sender.
pub(super) fn echo() -> Frame {
    frame((ECHO_PORT, ECHO_PORT), PEER4, control(0, 0))
}

fn control(your: u32, flags: u8) -> [u8; Control::LEN] {
    let mut octets = [0; Control::LEN];
    octets[..4].copy_from_slice(&[
        VERSION << 5,
        (State::Up as u8) << 6 | flags,
        3,
        Control::LEN as u8,
    ]);
    octets[4..8].copy_from_slice(&THEIRS.to_be_bytes());
    octets[8..12].copy_from_slice(&your.to_be_bytes());
    octets
}

/// From the peer. The UDP checksum is not looked at, so it need not fit what differs.
fn frame((from, to): (u16, u16), dst: Ipv4Addr, payload: [u8; Control::LEN]) -> Frame {
    let mut octets = vec![0; 8 + payload.len()];
    let mut datagram = UdpPacket::new_unchecked(&mut octets[..]);
    datagram.set_src_port(from);
    datagram.set_dst_port(to);
    datagram.set_len(8 + payload.len() as u16);
    datagram.payload_mut().copy_from_slice(&payload);
    datagram.fill_checksum(&PEER4.into(), &dst.into());
    let ip = Ipv4Repr {
        src_addr: PEER4,
        dst_addr: dst,
        next_header: IpProtocol::Udp,
        payload_len: octets.len(),
        hop_limit: 255,
    };
    let mut body = vec![0; ip.buffer_len() + octets.len()];
    let mut packet = Ipv4Packet::new_unchecked(&mut body);
    ip.emit(&mut packet, &ChecksumCapabilities::default());
    packet.payload_mut().copy_from_slice(&octets);
    Frame {
        octets: ethernet(NIC, 0x0800, &body),
        number_at: SENDER,
        complement_at: None,
    }
}
