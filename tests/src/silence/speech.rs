//! What a frame says as a virtual IP.

use std::{collections::HashSet, net::IpAddr};

/// What a frame says as a virtual IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speech {
    /// A packet from it.
    Packet,
    /// Who has another address.
    Question,
    /// Who has it, to one who asked.
    Answer,
    /// Who has it, to all.
    Owner,
}

impl Speech {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Packet, Self::Question, Self::Answer, Self::Owner];
}

const ICMPV6: u8 = 58;
/// Types of ICMPv6 (RFC 4861 sections 4.3 and 4.4).
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// `None` if a frame does not speak as one of these.
pub(super) fn speech(frame: &[u8], vips: &HashSet<IpAddr>) -> Option<Speech> {
    let v4 = |at: usize| {
        let octets: [u8; 4] = frame.get(at..at + 4)?.try_into().ok()?;
        vips.get(&IpAddr::from(octets))
    };
    let v6 = |at: usize| {
        let octets: [u8; 16] = frame.get(at..at + 16)?.try_into().ok()?;
        vips.get(&IpAddr::from(octets))
    };
    let is_to_one = frame.first()? & 1 == 0;
    match frame.get(12..14)? {
        [0x08, 0x00] => v4(26).map(|_| Speech::Packet),
        [0x08, 0x06] => {
            v4(28)?;
            let is_about_itself = frame.get(28..32) == frame.get(38..42);
            Some(match frame[20..22] {
                [0, 1] if !is_about_itself => Speech::Question,
                [0, 2] if is_to_one => Speech::Answer,
                _ => Speech::Owner,
            })
        }
        [0x86, 0xdd] => {
            let kind = (*frame.get(20)? == ICMPV6).then(|| frame.get(54)).flatten();
            match kind {
                Some(&ADVERTISEMENT) if v6(62).is_some() => Some(if is_to_one {
                    Speech::Answer
                } else {
                    Speech::Owner
                }),
                Some(&(ADVERTISEMENT | SOLICITATION)) => v6(22).map(|_| Speech::Owner),
                Some(_) | None => v6(22).map(|_| Speech::Packet),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use ha_agent::net::frame::{gratuitous_arp_reply, gratuitous_arp_request, unsolicited_na};
    use ha_common::abi::{Mac, Vlan};

    use super::*;

    const VIP4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
    const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 10);
    const MAC: Mac = Mac([2; 6]);

    fn heard(frame: &[u8]) -> Option<Speech> {
        speech(frame, &[VIP4.into(), VIP6.into()].into())
    }

    #[test]
    fn announcements_say_who_has_the_address() {
        let none = Vlan::default();
        assert_eq!(
            heard(&gratuitous_arp_reply(MAC, VIP4, none)),
            Some(Speech::Owner)
        );
        let mut request = gratuitous_arp_request(MAC, VIP4, none).to_vec();
        assert_eq!(heard(&request), Some(Speech::Owner));
        request[38..42].copy_from_slice(&[192, 0, 2, 1]);
        assert_eq!(heard(&request), Some(Speech::Question));
        assert_eq!(
            heard(&unsolicited_na(MAC, VIP6, false, none)),
            Some(Speech::Owner)
        );
    }

    #[test]
    fn answers_go_to_one() {
        let none = Vlan::default();
        let mut reply = gratuitous_arp_reply(MAC, VIP4, none).to_vec();
        reply[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        assert_eq!(heard(&reply), Some(Speech::Answer));
        let mut advertisement = unsolicited_na(MAC, VIP6, false, none).to_vec();
        advertisement[..6].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        assert_eq!(heard(&advertisement), Some(Speech::Answer));
    }

    #[test]
    fn packets_are_known_by_their_source_alone() {
        let mut v4 = vec![0; 60];
        v4[12..14].copy_from_slice(&[0x08, 0x00]);
        v4[30..34].copy_from_slice(&VIP4.octets());
        assert_eq!(heard(&v4), None, "stale traffic is to it");
        v4[26..30].copy_from_slice(&VIP4.octets());
        assert_eq!(heard(&v4), Some(Speech::Packet));
        let mut v6 = vec![0; 60];
        v6[12..14].copy_from_slice(&[0x86, 0xdd]);
        v6[38..54].copy_from_slice(&VIP6.octets());
        assert_eq!(heard(&v6), None);
        v6[22..38].copy_from_slice(&VIP6.octets());
        assert_eq!(heard(&v6), Some(Speech::Packet));
        assert_eq!(heard(&v6[..30]), None);
    }
}
