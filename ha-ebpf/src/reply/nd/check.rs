//! The checks of RFC 4861 section 7.1, which a message must pass before it is believed.

use ha_common::{
    reason::Reason,
    wire::{checksum::Sum, ipv6, nd},
};

use super::{HEARD_WORDS, Heard, Source, sum};
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
pub(super) fn is_askable(Then(ip, message): &Heard, source: Source) -> bool {
    if ip.src == ipv6::UNSPECIFIED {
        nd::is_solicited_node(ip.dst) && !source.is_option
    } else {
        ipv6::is_host(ip.src) && ip.src != message.target && source.mac.is_station()
    }
}

/// What is demanded of solicitations and advertisements alike. Also finds out who the source is.
#[inline(always)]
pub(super) fn message(
    packet: &Packet,
    hit: &Hit,
    Then(ip, message): &Heard,
    source: &mut Source,
) -> Result<(), Reason> {
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
    let mut sum = sum::<HEARD_WORDS>(packet, hit.l3, ip.payload_length);
    if !options.find_source(packet, source) || !options.add_to(&mut sum, packet) {
        return Err(Reason::NdMalformed);
    }
    if !sum.is_valid() {
        return Err(Reason::NdChecksum);
    }
    Ok(())
}

/// Where the options of a message are.
struct Options {
    start: usize,
    len: usize,
}

impl Options {
    /// Walks from option to option, and takes the first source link-layer address that there is.
    /// Returns whether they are well-formed.
    #[inline(always)]
    fn find_source(&self, packet: &Packet, source: &mut Source) -> bool {
        let mut offset = 0;
        for _ in 0..MAX_OPTIONS {
            if offset >= self.len || self.len > MAX_OPTIONS_LEN {
                break;
            }
            let Some(option) = packet.get::<nd::LinkOption>(self.start + offset) else {
                return false;
            };
            if option.kind == nd::OPTION_SOURCE_LINK && !source.is_option {
                if option.units != 1 {
                    return false;
                }
                source.mac = option.mac;
                source.is_option = true;
            }
            // One of no length, which is invalid, is looked at again and again, and is not the end.
            offset += usize::from(option.units) * nd::OPTION_UNIT;
        }
        offset == self.len
    }

    /// Adds the options to a sum. Returns whether they are all there.
    #[inline(always)]
    fn add_to(&self, sum: &mut Sum, packet: &Packet) -> bool {
        let mut offset = 0;
        while offset < MAX_OPTIONS_LEN && offset < self.len {
            let Some(words) = packet.get::<[u16; UNIT_WORDS]>(self.start + offset) else {
                return false;
            };
            *sum = sum.add_words(words);
            offset += nd::OPTION_UNIT;
        }
        offset == self.len
    }
}
