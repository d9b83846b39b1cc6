//! "Who has this address?" by raw frames from the observer: ARP requests and neighbour
//! solicitations.
//!
//! They are broadcast or multicast, so every node hears every one, and two owners show as two
//! answers; a probe that the switch delivers to one port cannot show that.
//!
//! An answer to such a question carries nothing of ours back but the asker's addresses, so the asker
//! is what varies: probe *n* comes from sender *n* mod [`SLOTS`], one of 128 IP addresses at one of 8
//! MACs. With 1,024 senders a sender asks again after a second, when its earlier question is
//! given up. The kernel as responder (keepalived leaves the answering to it) makes a neighbour entry for
//! every IP address that asks, of which a machine holds 1,024 for all its namespaces; hence
//! only 128 of them. Both families of responders, XDP and kernel, answer to the MAC that asked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{
        ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
        Icmpv6Packet, Icmpv6Repr, IpProtocol, Ipv6Packet, Ipv6Repr, NdiscRepr,
    },
};
use socket2::Socket;

use super::{
    channel::{Answer, Channel, Inbox, prepare, send},
    frame,
    record::{Kind, SLOTS, Which},
};
use crate::{address, sys};

const ADDRESSES: u32 = 128;
/// RFC 4861 section 7.1: discard what came through a router.
const HOP_LIMIT: u8 = 255;

pub(super) struct Solicit {
    target: IpAddr,
    socket: Socket,
}

impl Solicit {
    /// To be called in the observer's namespace.
    pub(super) fn open(target: IpAddr, ifindex: u32) -> io::Result<Self> {
        let protocol = match target {
            IpAddr::V4(_) => libc::ETH_P_ARP,
            IpAddr::V6(_) => libc::ETH_P_IPV6,
        };
        let socket = sys::packet_socket(protocol as u16, ifindex)?;
        prepare(&socket)?;
        Ok(Self { target, socket })
    }
}

impl Channel for Solicit {
    fn kind(&self) -> Kind {
        match self.target {
            IpAddr::V4(_) => Kind::Arp,
            IpAddr::V6(_) => Kind::Ns,
        }
    }

    fn target(&self) -> IpAddr {
        self.target
    }

    fn send(&mut self, number: u32, _now: Duration) {
        let (mac, address) = asker(self.target, number);
        let frame = match (address, self.target) {
            (IpAddr::V4(address), IpAddr::V4(target)) => arp_request(mac, address, target),
            (IpAddr::V6(address), IpAddr::V6(target)) => solicitation(mac, address, target),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
                unreachable!("an asking address is of the target's family")
            }
        };
        send(&self.socket, &frame);
    }

    fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(Answer)) -> io::Result<()> {
        while let Some((bytes, at)) = inbox.next(&self.socket)? {
            let Some(reply) = frame::parse_reply(bytes) else {
                continue;
            };
            if (reply.kind, reply.target) == (self.kind(), self.target) {
                take(Answer {
                    which: reply.which,
                    at,
                    owner: None,
                });
            }
        }
        // A measurement that overlooked answers would be worse than none.
        match sys::packet_drops(&self.socket)? {
            0 => Ok(()),
            dropped => Err(io::Error::other(format!(
                "the observer missed {dropped} frames: the machine is too slow for this measurement"
            ))),
        }
    }
}

/// The MAC and the address from which the probe with this number asks.
fn asker(target: IpAddr, number: u32) -> (EthernetAddress, IpAddr) {
    let slot = number % SLOTS;
    let mut mac = address::OBSERVER_MAC;
    mac[5] = (slot / ADDRESSES) as u8;
    let address = address::asking(target, slot % ADDRESSES);
    (EthernetAddress(mac), address)
}

/// The inverse: which probe an answer to this MAC and address is for.
pub(super) fn asked_by(mac: EthernetAddress, address: IpAddr) -> Option<Which> {
    let [net @ .., last] = mac.0;
    let index = address::asking_index(address)?;
    let slot = u32::from(last) * ADDRESSES + index;
    (net == address::OBSERVER_MAC[..5] && index < ADDRESSES && slot < SLOTS)
        .then_some(Which::Slot(slot))
}

fn arp_request(mac: EthernetAddress, address: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let request = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: mac,
        source_protocol_addr: address,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: target,
    };
    let mut bytes = ethernet(
        mac,
        EthernetAddress::BROADCAST,
        EthernetProtocol::Arp,
        request.buffer_len(),
    );
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    request.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    bytes
}

fn solicitation(mac: EthernetAddress, address: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let message = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
        target_addr: target,
        lladdr: Some(mac.into()),
    });
    // RFC 4291 section 2.7.1: the solicited-node group has the last 24 bits of the address.
    let [.., x, y, z] = target.octets();
    let [x, y, z] = [x, y, z].map(u16::from);
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | x, y << 8 | z);
    let header = Ipv6Repr {
        src_addr: address,
        dst_addr: group,
        next_header: IpProtocol::Icmpv6,
        payload_len: message.buffer_len(),
        hop_limit: HOP_LIMIT,
    };
    // RFC 2464 section 7: 33:33 and the last 32 bits of the group.
    let [.., w, x, y, z] = group.octets();
    let mut bytes = ethernet(
        mac,
        EthernetAddress([0x33, 0x33, w, x, y, z]),
        EthernetProtocol::Ipv6,
        header.buffer_len() + header.payload_len,
    );
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    let mut packet = Ipv6Packet::new_unchecked(frame.payload_mut());
    header.emit(&mut packet);
    message.emit(
        &address,
        &group,
        &mut Icmpv6Packet::new_unchecked(packet.payload_mut()),
        &ChecksumCapabilities::default(),
    );
    bytes
}

/// A frame of the given payload length with nothing but its Ethernet header filled in.
fn ethernet(
    source: EthernetAddress,
    destination: EthernetAddress,
    protocol: EthernetProtocol,
    payload: usize,
) -> Vec<u8> {
    let mut bytes = vec![0; EthernetFrame::<&[u8]>::buffer_len(payload)];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    frame.set_src_addr(source);
    frame.set_dst_addr(destination);
    frame.set_ethertype(protocol);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_slot_has_an_asker_of_its_own() {
        for target in [IpAddr::V4(address::vip4(0)), IpAddr::V6(address::vip6(0))] {
            let askers: HashSet<_> = (0..SLOTS).map(|number| asker(target, number)).collect();
            assert_eq!(askers.len(), SLOTS as usize);
            for number in [0, 127, 128, 1023, 1024, 5000] {
                let (mac, address) = asker(target, number);
                assert_eq!(asked_by(mac, address), Some(Which::Slot(number % SLOTS)));
            }
        }
    }

    #[test]
    fn a_solicitation_goes_to_the_group_of_its_target() {
        let (mac, address) = asker(IpAddr::V6(address::vip6(0)), 0);
        let IpAddr::V6(address) = address else {
            panic!("asks from {address}");
        };
        let bytes = solicitation(mac, address, "fd77::12:3456".parse().expect("an address"));
        let frame = EthernetFrame::new_checked(&bytes).expect("a frame");
        assert_eq!(frame.dst_addr().0, [0x33, 0x33, 0xff, 0x12, 0x34, 0x56]);
        let packet = Ipv6Packet::new_checked(frame.payload()).expect("a packet");
        assert_eq!(packet.dst_addr().to_string(), "ff02::1:ff12:3456");
        let message = Icmpv6Packet::new_checked(packet.payload()).expect("a message");
        assert!(message.verify_checksum(&packet.src_addr(), &packet.dst_addr()));
    }
}
