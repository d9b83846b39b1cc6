//! Requests: the stateless reflector (RFC 7880 section 7.2).

use ha_common::{
    abi::{REFLECT_NODE, Reflector},
    fence::Standing,
    lease::LeaseState,
    reason::Reason,
    wire::{
        bfd::{Control, Diagnostic, FLAG_FINAL, FLAG_POLL, State},
        checksum, eth, udp,
    },
};

use super::{Bearer, Message, check, peer, your};
use crate::{
    events,
    fence::Served,
    frame::Frame,
    lease,
    maps::Maps,
    packet::{Packet, Then},
};

/// Takes a request; `None` if it is for none of this node's discriminators.
#[inline(always)]
pub(super) fn judge<H: Bearer>(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
) -> Option<Reason> {
    let &reflector = maps.reflector(your::<H>(packet, frame)?)?;
    let reason = match check::<H>(packet, frame, true) {
        Err(reason) => reason,
        Ok(()) => answer::<H>(packet, maps, frame, reflector),
    };
    Some(reason)
}

#[inline(always)]
fn answer<H: Bearer>(
    packet: &mut Packet,
    maps: &mut Maps,
    frame: &Frame,
    reflector: Reflector,
) -> Reason {
    let Some(slot) = maps.live_peer(&peer::<H>(packet, maps, frame)) else {
        return Reason::LiveStranger;
    };
    let view = match packet.get::<Message<H>>(frame.l3) {
        Some(Then(_, Then(_, control))) => (control.state(), control.diagnostic()),
        None => return Reason::LiveMalformed,
    };
    maps.note_request(slot, view.0 as u32);
    if view == (State::Down, Diagnostic::DetectionTimeExpired as u8) {
        give_way(packet, maps, frame);
    }
    let (state, diagnostic) = state(maps, reflector.group);
    let Some(Then(ip, Then(udp, control))) = packet.get_mut::<Message<H>>(frame.l3) else {
        return Reason::LiveMalformed;
    };
    ip.turn_around();
    core::mem::swap(&mut udp.src_port, &mut udp.dst_port);
    let asked = *control;
    let final_bit = if asked.has(FLAG_POLL) { FLAG_FINAL } else { 0 };
    control.my_discriminator = asked.your_discriminator;
    control.your_discriminator = asked.my_discriminator;
    control.set_diagnostic(diagnostic);
    control.set_state(state, final_bit);
    control.required_min_rx = reflector.min_rx_us.to_be_bytes();
    control.required_min_echo_rx = [0; 4];
    udp.checksum = repaired(udp.checksum, &asked, control);
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return Reason::LiveMalformed;
    };
    core::mem::swap(&mut header.src, &mut header.dst);
    Reason::LiveAnswered
}

/// The peer is about to take over what it cannot hear this node have, and this node does hear the peer: two
/// owners, if it did not fall silent now.
#[inline(always)]
fn give_way(packet: &Packet, maps: &mut Maps, frame: &Frame) {
    if LeaseState::from_u8(maps.lease().state) == LeaseState::Valid {
        events::unheard(maps, packet, frame);
        lease::lapse(maps);
    }
}

/// What this node says of itself or of one of its groups.
#[inline(always)]
fn state(maps: &Maps, group: u32) -> (State, Diagnostic) {
    let is_up = if group == REFLECT_NODE {
        LeaseState::from_u8(maps.lease().state) == LeaseState::Valid
    } else {
        match Served::read(maps, group).standing {
            Standing::Active | Standing::Claiming => true,
            Standing::Backup | Standing::Fenced(_) => false,
        }
    };
    if is_up {
        (State::Up, Diagnostic::None)
    } else {
        (State::AdminDown, Diagnostic::AdministrativelyDown)
    }
}

/// The UDP checksum after `asked` became `told`. The discriminators, ports and addresses only changed places.
#[inline(always)]
fn repaired(checksum: [u8; 2], asked: &Control, told: &Control) -> [u8; 2] {
    if checksum == [0; 2] {
        return checksum;
    }
    let [asked_rx, told_rx] = [asked.required_min_rx, told.required_min_rx].map(halves);
    let [asked_echo, told_echo] =
        [asked.required_min_echo_rx, told.required_min_echo_rx].map(halves);
    let words = [
        (
            [asked.version_diagnostic, asked.state_flags],
            [told.version_diagnostic, told.state_flags],
        ),
        (asked_rx[0], told_rx[0]),
        (asked_rx[1], told_rx[1]),
        (asked_echo[0], told_echo[0]),
        (asked_echo[1], told_echo[1]),
    ];
    let mut repaired = checksum;
    for (old, new) in words {
        repaired = checksum::update(repaired, old, new);
    }
    // Zero would say that there is none (RFC 768).
    if repaired == [0; 2] {
        [0xff; 2]
    } else {
        repaired
    }
}

#[inline(always)]
const fn halves([a, b, c, d]: [u8; 4]) -> [[u8; 2]; 2] {
    [[a, b], [c, d]]
}

const _: () = assert!(udp::Header::LEN + Control::LEN == 32);
