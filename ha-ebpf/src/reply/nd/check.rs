//! The checks of RFC 4861 section 7.1, which a message must pass before it is believed.

use ha_common::{
    abi::Mac,
    reason::Reason,
    wire::{checksum::Sum, ipv6, nd},
};

use super::{HEARD_WORDS, Heard, sum};
use crate::{
    frame::Hit,
    packet::{Packet, Then},
};

/// Bounds that the verifier wants. Signed messages (RFC 3971), the longest there are, stay below.
const MAX_OPTIONS: usize = 8;
const MAX_OPTIONS_LEN: usize = 512;

/// Words in the unit in which options are counted.
const UNIT_WORDS: usize = nd::OPTION_UNIT / 2;

/// Whether there is somebody to answer: what section 7.1.1 demands of solicitations alone.
#[inline(always)]
pub(super) fn is_askable(hit: &Hit, Then(ip, message): &Heard, source_link: Option<Mac>) -> bool {
    if ip.src == ipv6::UNSPECIFIED {
        nd::is_solicited_node(ip.dst) && source_link.is_none()
    } else {
        ipv6::is_host(ip.src)
            && ip.src != message.target
            && source_link.unwrap_or(hit.src).is_station()
    }
}

/// What is demanded of solicitations and advertisements alike. Returns the sender's link-layer
/// address, if it is given.
#[inline(always)]
pub(super) fn message(
    packet: &Packet,
    hit: &Hit,
    Then(ip, message): &Heard,
) -> Result<Option<Mac>, Reason> {
    let payload = ip.payload_len();
    if ip.version() != ipv6::VERSION
        || message.code != 0
        || payload < size_of::<nd::Message>()
        || hit.l3 + ipv6::HEADER_LEN + payload > hit.len
    {
        return Err(Reason::NdMalformed);
    }
    if ip.hop_limit != nd::HOP_LIMIT {
        return Err(Reason::NdHopLimit);
    }
    let options = Options {
        start: hit.l3 + size_of::<Heard>(),
        len: payload - size_of::<nd::Message>(),
    };
    if !options.len.is_multiple_of(nd::OPTION_UNIT) || options.len > MAX_OPTIONS_LEN {
        return Err(Reason::NdMalformed);
    }
    let source_link = options.source_link(packet)?;
    let sum = sum::<HEARD_WORDS>(packet, hit.l3, ip.payload_length).ok_or(Reason::NdMalformed)?;
    if !options.add_to(sum, packet)?.is_valid() {
        return Err(Reason::NdChecksum);
    }
    Ok(source_link)
}

/// Where the options of a message are.
struct Options {
    start: usize,
    /// A multiple of [`nd::OPTION_UNIT`], at most [`MAX_OPTIONS_LEN`].
    len: usize,
}

impl Options {
    /// Walks from option to option. Returns the first source link-layer address, if there is one.
    #[inline(always)]
    fn source_link(&self, packet: &Packet) -> Result<Option<Mac>, Reason> {
        let mut source_link = None;
        let mut offset = 0;
        for _ in 0..MAX_OPTIONS {
            if offset >= self.len {
                break;
            }
            let option = packet
                .get::<nd::LinkOption>(self.start + offset)
                .ok_or(Reason::NdMalformed)?;
            if option.kind == nd::OPTION_SOURCE_LINK && source_link.is_none() {
                if option.units != 1 {
                    return Err(Reason::NdMalformed);
                }
                source_link = Some(option.mac);
            }
            // One of no length, which is invalid, is looked at again and again, and is not the end.
            offset += usize::from(option.units) * nd::OPTION_UNIT;
        }
        if offset == self.len {
            Ok(source_link)
        } else {
            Err(Reason::NdMalformed)
        }
    }

    #[inline(always)]
    fn add_to(&self, mut sum: Sum, packet: &Packet) -> Result<Sum, Reason> {
        let mut offset = 0;
        while offset < MAX_OPTIONS_LEN && offset < self.len {
            let words = packet
                .get::<[u16; UNIT_WORDS]>(self.start + offset)
                .ok_or(Reason::NdMalformed)?;
            sum = sum.add_words(words);
            offset += nd::OPTION_UNIT;
        }
        Ok(sum)
    }
}
