//! Echo packets of neighbours (RFC 5880 section 6.4, RFC 5881 section 4): sent back to where they came from.
//!
//! There are two kinds. One has the neighbour itself as its destination, so that any router returns it: only
//! the MACs change places. The other has this node as its destination, and was meant for a program that sends
//! it back: the addresses change places too.
//!
//! Both lose a hop. A router would take it, and its sender counts on it: FRR's bfdd takes 254 for an echo
//! that comes back, and 255 for another's that it has to loop itself. It is also what ends a loop between two
//! nodes that both send back: what has been looped is no longer at 255, and only that is looped.

use ha_common::{
    abi::{EchoPeer, LivePeerKey, Vlan},
    reason::Reason,
    wire::{bfd, eth, udp},
};

use super::{Bearer, peer};
use crate::{
    frame::Frame,
    maps::Maps,
    packet::{Packet, Then},
};

/// Takes a datagram to the echo port; `None` if it is no configured neighbour's.
#[inline(always)]
pub(super) fn judge<H: Bearer>(packet: &mut Packet, maps: &Maps, frame: &Frame) -> Option<Reason> {
    // Of other VLANs' neighbours nothing is known here.
    if frame.vlan != Vlan::default() {
        return None;
    }
    let from = peer::<H>(packet, maps, frame);
    let addr = packet.get::<H>(frame.l3)?.destination();
    let sender = maps.echo_peer(&from);
    // Where one neighbour addresses another, it is the sender's.
    let is_to_sender = sender.is_none() || addr == from.addr;
    let ifindex = from.ifindex;
    let &EchoPeer { nic, .. } = match sender {
        Some(sender) => sender,
        None => maps.echo_peer(&LivePeerKey { addr, ifindex })?,
    };
    let &eth::Header { dst, src, .. } = packet.get(0)?;
    // A flooded frame is another node's to send back.
    if dst != nic {
        return None;
    }
    let &Then(ip, udp) = packet.get::<Then<H, udp::Header>>(frame.l3)?;
    if ip.hop_limit() != bfd::HOP_LIMIT {
        return Some(Reason::BfdEchoHopLimit);
    }
    if udp.total_len() < udp::Header::LEN || udp.total_len() > ip.payload_len() || !src.is_station()
    {
        return Some(Reason::BfdEchoMalformed);
    }
    Some(match turn_around(packet, frame, &ip, is_to_sender) {
        Ok(()) => Reason::BfdEchoLooped,
        Err(reason) => reason,
    })
}

/// Sends the packet back, one hop further. The UDP checksum stays right: what it covers changes places only.
#[inline(always)]
fn turn_around<H: Bearer>(
    packet: &mut Packet,
    frame: &Frame,
    ip: &H,
    is_to_sender: bool,
) -> Result<(), Reason> {
    ip.may_age(packet, frame.l3)?;
    if !ip.age(packet, frame.l3) {
        return Err(Reason::IpMalformed);
    }
    if !is_to_sender {
        let Some(Then(ip, udp)) = packet.get_mut::<Then<H, udp::Header>>(frame.l3) else {
            return Err(Reason::BfdEchoMalformed);
        };
        ip.turn_around();
        core::mem::swap(&mut udp.src_port, &mut udp.dst_port);
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Err(Reason::BfdEchoMalformed);
    };
    core::mem::swap(&mut header.src, &mut header.dst);
    Ok(())
}
