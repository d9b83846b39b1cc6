//! The checks of RFC 4861 section 7.1, which a message must pass before it is believed.

use ha_common::{
    abi::Mac,
    reason::Reason,
    wire::{ipv6, nd},
};

use super::Heard;
use crate::{frame::Frame, packet::Packet};

/// Longest run of options that is looked through, in units of eight octets. The verifier wants a
/// bound; signed messages (RFC 3971), the longest there are, stay below it.
const MAX_UNITS: usize = 64;

/// Section 7.1.1. Returns the sender's link-layer address, if it is given.
#[inline(always)]
pub(super) fn solicitation(
    packet: &Packet,
    frame: &Frame,
    heard: &Heard,
    len: usize,
) -> Result<Option<Mac>, Reason> {
    let source_link = message(packet, frame, heard, len)?;
    let from_somebody = if heard.ip.src == ipv6::UNSPECIFIED {
        nd::is_solicited_node(heard.ip.dst) && source_link.is_none()
    } else {
        ipv6::is_host(heard.ip.src)
            && heard.ip.src != heard.message.target
            && source_link.unwrap_or(frame.src).is_station()
    };
    from_somebody
        .then_some(source_link)
        .ok_or(Reason::NdMalformed)
}

/// What solicitations and advertisements have in common. Returns the sender's link-layer address,
/// if it is given.
#[inline(always)]
pub(super) fn message(
    packet: &Packet,
    frame: &Frame,
    Heard { ip, message }: &Heard,
    len: usize,
) -> Result<Option<Mac>, Reason> {
    let payload = ip.payload_len();
    if ip.version() != ipv6::VERSION
        || message.code != 0
        || payload < size_of::<nd::Message>()
        || frame.l3 + ipv6::HEADER_LEN + payload > len
    {
        return Err(Reason::NdMalformed);
    }
    if ip.hop_limit != nd::HOP_LIMIT {
        return Err(Reason::NdHopLimit);
    }
    let mut sum = ip
        .pseudo_header()
        .add(&[message.kind, message.code])
        .add(&message.checksum)
        .add(&message.flags)
        .add(&message.target);

    let options = payload - size_of::<nd::Message>();
    let start = frame.l3 + ipv6::HEADER_LEN + size_of::<nd::Message>();
    let mut source_link = None;
    let mut units_left = 0;
    let mut units = 0;
    while units < MAX_UNITS && units * nd::OPTION_UNIT < options {
        let Some(unit) = packet.get::<[u8; nd::OPTION_UNIT]>(start + units * nd::OPTION_UNIT)
        else {
            return Err(Reason::NdMalformed);
        };
        sum = sum.add(unit);
        if units_left == 0 {
            let [kind, length, mac @ ..] = *unit;
            if kind == nd::OPTION_SOURCE_LINK && source_link.is_none() {
                if length != 1 {
                    return Err(Reason::NdMalformed);
                }
                source_link = Some(Mac(mac));
            }
            units_left = length;
            if length == 0 {
                return Err(Reason::NdMalformed);
            }
        }
        units_left -= 1;
        units += 1;
    }
    if units_left != 0 || units * nd::OPTION_UNIT != options {
        return Err(Reason::NdMalformed);
    }
    if !sum.is_valid() {
        return Err(Reason::NdChecksum);
    }
    Ok(source_link)
}
