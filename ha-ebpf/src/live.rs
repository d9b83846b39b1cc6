//! Liveness by seamless BFD (RFC 7880 and 7881): requests are answered and replies noted here, so that no
//! process of either node is in their way.
//!
//! What names no discriminator of this node is left to the stack: another program may speak the
//! protocol too.
//!
//! Beside it the echo packets of plain BFD, which are sent back.

mod echo;
mod reply;
mod request;

use ha_common::{
    abi::LivePeerKey,
    reason::Reason,
    wire::{
        bfd::{self, Control, ECHO_PORT, SEAMLESS_PORT},
        ipv4, ipv6, udp,
    },
};

use crate::{
    End,
    demote::Carrier,
    frame::Frame,
    maps::Maps,
    packet::{Packet, Then},
};

/// Headers that lie behind each other in an S-BFD packet.
type Message<H> = Then<H, Then<udp::Header, Control>>;

/// [`End::group`] of what concerns the whole node.
const WHOLE_NODE: u32 = u32::MAX;

/// What the two versions of IP do differently as carriers of S-BFD.
pub(crate) trait Bearer: Carrier {
    /// Protocol of what follows the header.
    fn protocol(&self) -> u8;

    /// Has source and destination change places. Sums that cover both stay what they are.
    fn turn_around(&mut self);

    /// Whether the source can be a single host's, and another one's than the destination.
    fn has_host_source(&self) -> bool;
}

impl Bearer for ipv4::Header {
    #[inline(always)]
    fn protocol(&self) -> u8 {
        self.protocol
    }

    #[inline(always)]
    fn turn_around(&mut self) {
        core::mem::swap(&mut self.src, &mut self.dst);
    }

    #[inline(always)]
    fn has_host_source(&self) -> bool {
        ipv4::is_host(self.src) && self.src != self.dst
    }
}

impl Bearer for ipv6::Header {
    #[inline(always)]
    fn protocol(&self) -> u8 {
        self.next_header
    }

    #[inline(always)]
    fn turn_around(&mut self) {
        core::mem::swap(&mut self.src, &mut self.dst);
    }

    #[inline(always)]
    fn has_host_source(&self) -> bool {
        ipv6::is_host(self.src) && self.src != self.dst
    }
}

/// Takes a packet that is for no virtual IP.
#[inline(always)]
pub(crate) fn judge<H: Bearer>(packet: &mut Packet, maps: &mut Maps, frame: &Frame) -> End {
    let Some(&Then(ip, udp)) = packet.get::<Then<H, udp::Header>>(frame.l3) else {
        return End::NOT_OURS;
    };
    if ip.protocol() != udp::PROTOCOL
        || !ip.is_plain()
        || !ip.is_well_formed(packet.len() - frame.l3)
    {
        return End::NOT_OURS;
    }
    let [from, to] = [udp.src_port, udp.dst_port].map(u16::from_be_bytes);
    let reason = if to == ECHO_PORT {
        echo::judge::<H>(packet, maps, frame)
    } else if to == SEAMLESS_PORT {
        request::judge::<H>(packet, maps, frame)
    } else if from == SEAMLESS_PORT {
        reply::judge::<H>(packet, maps, frame)
    } else {
        None
    };
    End {
        reason,
        group: WHOLE_NODE,
        len: packet.len(),
    }
}

/// The discriminator that a request or reply is for.
#[inline(always)]
fn your<H: Bearer>(packet: &Packet, frame: &Frame) -> Option<u32> {
    let Then(_, Then(_, control)) = packet.get::<Message<H>>(frame.l3)?;
    Some(u32::from_be_bytes(control.your_discriminator))
}

/// The checks that requests and replies have in common. `demand` is what the demand bit has to be.
#[inline(always)]
fn check<H: Bearer>(packet: &Packet, frame: &Frame, demand: bool) -> Result<(), Reason> {
    let Some(Then(ip, Then(udp, control))) = packet.get::<Message<H>>(frame.l3) else {
        return Err(Reason::LiveMalformed);
    };
    if ip.hop_limit() != bfd::HOP_LIMIT {
        return Err(Reason::LiveHopLimit);
    }
    if udp.total_len() < udp::Header::LEN
        || udp.total_len() > ip.payload_len()
        || !ip.has_host_source()
        || !control.is_sound(udp.total_len() - udp::Header::LEN)
        || control.has(bfd::FLAG_DEMAND) != demand
    {
        return Err(Reason::LiveMalformed);
    }
    Ok(())
}

/// Where the packet comes from, as peers are known.
#[inline(always)]
fn peer<H: Bearer>(packet: &Packet, maps: &Maps, frame: &Frame) -> LivePeerKey {
    LivePeerKey {
        addr: packet.get::<H>(frame.l3).map_or([0; 16], H::source),
        ifindex: maps.arrival(packet),
    }
}
