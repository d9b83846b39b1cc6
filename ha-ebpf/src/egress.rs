//! What this host sends as a virtual IP: kept back unless this node has it.
//!
//! The routes that make virtual IPs local are on every node, so any program may bind one at any time,
//! and connections of a former owner go on trying. On ingress a node that is not Active is silent; this
//! makes it silent in the other direction. What the data path sends on by itself does not come by here.
//!
//! A frame that is not ours costs a look at its headers and one lookup of its sender (two in a neighbour
//! advertisement, which names a target too).

use ha_common::{
    abi::{Vip, Vip4Key, Vip6Key, Vlan},
    fence::Standing,
    reason::Reason,
    wire::{
        arp,
        eth::{ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6},
        icmp, ipv4, ipv6, nd,
    },
};

use crate::{End, fence::Served, frame::Frame, maps::Maps, packet::SocketBuffer, reply::nd::Heard};

/// What a frame says as a virtual IP.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// Traffic.
    Ip,
    /// Who has another address, which the host has to know before it can send traffic.
    Question,
    /// Who has it.
    Arp,
    /// Likewise.
    Nd,
}

/// Judges a frame that is about to leave. One that may has no reason.
#[inline(always)]
pub(crate) fn judge(buffer: &SocketBuffer, maps: &Maps) -> End {
    let frame = Frame::of(buffer);
    match frame.ethertype {
        ETHERTYPE_IPV4 => v4(buffer, maps, &frame),
        ETHERTYPE_IPV6 => v6(buffer, maps, &frame),
        ETHERTYPE_ARP => arp(buffer, maps, &frame),
        _ => End::NOT_OURS,
    }
}

#[inline(always)]
fn v4(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> End {
    let header: ipv4::Header = buffer.read(frame.l3);
    speak(buffer, maps, vip4(maps, header.src, frame.vlan), Speech::Ip)
}

/// Whatever the operation: neighbours learn from the sender of requests and replies alike.
#[inline(always)]
fn arp(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> End {
    let packet: arp::Packet = buffer.read(frame.l3);
    let vip = vip4(maps, packet.sender, frame.vlan);
    let is_question = packet.operation() == arp::OP_REQUEST && packet.sender != packet.target;
    let speech = if is_question {
        Speech::Question
    } else {
        Speech::Arp
    };
    speak(buffer, maps, vip, speech)
}

#[inline(always)]
fn v6(buffer: &SocketBuffer, maps: &Maps, frame: &Frame) -> End {
    let header: ipv6::Header = buffer.read(frame.l3);
    let mut speech = Speech::Ip;
    if header.next_header == icmp::PROTOCOL_V6 {
        let message = buffer.read::<Heard>(frame.l3).1;
        if matches!(message.kind, nd::SOLICITATION | nd::ADVERTISEMENT) {
            speech = Speech::Nd;
        }
        if message.kind == nd::ADVERTISEMENT {
            let vip = vip6(maps, message.target, frame.vlan);
            let end = speak(buffer, maps, vip, Speech::Nd);
            if end.reason.is_some() {
                return end;
            }
        }
    }
    speak(buffer, maps, vip6(maps, header.src, frame.vlan), speech)
}

#[inline(always)]
fn vip4(maps: &Maps, addr: [u8; 4], vlan: Vlan) -> Option<&Vip> {
    maps.vip4(&Vip4Key { addr, vlan })
}

#[inline(always)]
fn vip6(maps: &Maps, addr: [u8; 16], vlan: Vlan) -> Option<&Vip> {
    maps.vip6(&Vip6Key { addr, vlan })
}

/// Whether this host may speak as this virtual IP, if it is one.
#[inline(always)]
fn speak(buffer: &SocketBuffer, maps: &Maps, vip: Option<&Vip>, speech: Speech) -> End {
    let Some(&Vip { group, .. }) = vip else {
        return End::NOT_OURS;
    };
    let served = Served::read(maps, group);
    let reason = if served.is_used() {
        withheld(served.standing, speech)
    } else {
        Some(Reason::EgressUnused)
    };
    End {
        reason,
        group,
        len: buffer.len(),
    }
}

/// Why it may not. A node that claims a group answers what is delivered to it, or delivering would lose
/// it, and may have to ask for the neighbour first: a question that is withheld is put again a second
/// later only. Who has the address is not yet its to say.
#[inline(always)]
fn withheld(standing: Standing, speech: Speech) -> Option<Reason> {
    let may = match standing {
        Standing::Active => true,
        Standing::Claiming => matches!(speech, Speech::Ip | Speech::Question),
        Standing::Backup | Standing::Fenced(_) => false,
    };
    if may {
        return None;
    }
    Some(match speech {
        Speech::Ip => Reason::EgressIp,
        Speech::Question | Speech::Arp => Reason::EgressArp,
        Speech::Nd => Reason::EgressNd,
    })
}

#[cfg(test)]
mod tests {
    use ha_common::{
        abi::{GROUP_USED, Group, Role, RoleWord, Vip, Vip4Key, Vlan},
        lease::{LeaseState, LeaseWord},
        reason::Reason,
    };

    use crate::{Action, Maps, SocketBuffer, run_egress};

    const VIP: [u8; 4] = [192, 0, 2, 10];

    fn maps(role: Role) -> Maps {
        let mut maps = Maps::default();
        let key = Vip4Key {
            addr: VIP,
            vlan: Vlan::default(),
        };
        maps.vip4.insert(key, Vip::default());
        let word = RoleWord {
            role: role as u8,
            epoch: 1,
            ..RoleWord::default()
        };
        let group = Group {
            word,
            flags: GROUP_USED,
            ..Group::default()
        };
        maps.groups.insert(0, group);
        maps.node.lease = LeaseWord {
            state: LeaseState::Valid as u8,
            ..LeaseWord::default()
        };
        maps
    }

    /// Why a frame from the virtual IP is kept, if it is.
    fn kept(maps: &mut Maps, ethertype: [u8; 2], source_at: usize) -> Option<u32> {
        let mut frame = [0; 60];
        frame[12..14].copy_from_slice(&ethertype);
        frame[source_at..source_at + 4].copy_from_slice(&VIP);
        let action = run_egress(&SocketBuffer::new(&frame, frame.len(), None), maps);
        let counted = maps.reasons.drain().next().map(|(reason, _)| reason);
        assert_eq!(action == Action::Drop, counted.is_some());
        counted
    }

    #[test]
    fn a_claimer_answers_but_does_not_say_that_it_has_the_address() {
        let [ip, arp] = [Reason::EgressIp, Reason::EgressArp].map(|reason| reason as u32);
        for (role, of_ip, of_arp) in [
            (Role::Active, None, None),
            (Role::Claiming, None, Some(arp)),
            (Role::Backup, Some(ip), Some(arp)),
        ] {
            let mut maps = maps(role);
            assert_eq!(kept(&mut maps, [0x08, 0x00], 26), of_ip, "{role:?}");
            assert_eq!(kept(&mut maps, [0x08, 0x06], 28), of_arp, "{role:?}");
            maps.node.lease.state = LeaseState::Lapsed as u8;
            assert_eq!(
                kept(&mut maps, [0x08, 0x00], 26),
                Some(ip),
                "{role:?}, fenced"
            );
            assert_eq!(
                kept(&mut maps, [0x08, 0x06], 28),
                Some(arp),
                "{role:?}, fenced"
            );
        }
    }
}
