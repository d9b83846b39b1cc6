//! A frame for each path.

use std::net::{Ipv4Addr, Ipv6Addr};

use ha_common::{abi::Mac, reason::Reason};
use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{
        ArpOperation, ArpPacket, ArpRepr, EthernetAddress, Icmpv4Packet, Icmpv4Repr, Icmpv6Packet,
        Icmpv6Repr, IpProtocol, Ipv4Packet, Ipv4Repr, Ipv6Packet, Ipv6Repr, NdiscRepr,
        RawHardwareAddress,
    },
};

use super::liveness;

pub(super) const MAC4: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x01, 0x01]);
pub(super) const MAC6: Mac = Mac([0x00, 0x00, 0x5e, 0x00, 0x02, 0x01]);
pub(super) const NIC: Mac = Mac([0x02, 0, 0, 0, 0, 0x01]);
const CLIENT: Mac = Mac([0x02, 0, 0, 0, 0, 0x77]);

/// The virtual router that the node is Active for, its priority, and its own address.
pub(super) const VRID: u8 = 1;
pub(super) const PRIORITY: u8 = 100;
pub(super) const NODE4: Ipv4Addr = Ipv4Addr::new(10, 4, 0, 1);

/// Octets of payload, as `ping` sends them.
const PAYLOAD: [u8; 56] = [0x5a; 56];

/// A path through the data path.
pub(super) struct Path {
    pub(super) name: &'static str,
    pub(super) frame: Frame,
    /// Under which reason the data path counts it.
    pub(super) reason: Option<Reason>,
}

/// A frame for virtual IP 0, and where the number of another one goes; one that is for no virtual IP has
/// something else there that differs.
pub(super) struct Frame {
    pub(super) octets: Vec<u8>,
    /// Where the number goes: the last two octets of the virtual IP.
    pub(super) number_at: usize,
    /// Where the last two octets of the client's address are, which are the number's complement:
    /// so the checksums over both stay right.
    pub(super) complement_at: Option<usize>,
}

/// The virtual IP of a number, which is in host order: all that matters is that each has its own.
pub(super) fn vip4(number: u16) -> Ipv4Addr {
    let [a, b] = number.to_ne_bytes();
    Ipv4Addr::new(10, 1, a, b)
}

pub(super) fn vip6(number: u16) -> Ipv6Addr {
    let low = u16::from_be_bytes(number.to_ne_bytes());
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, low)
}

/// The client that asks for virtual IP 0.
const CLIENT4: Ipv4Addr = Ipv4Addr::new(10, 2, 0xff, 0xff);
const CLIENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 1, 0xffff);
/// As many hosts as there are virtual IPs, none of them one.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 3, 0, 0);

const ETHERNET: usize = 14;
/// Of the last two octets of the addresses, in a frame.
const SRC4: usize = ETHERNET + 14;
const DST4: usize = ETHERNET + 18;
const ARP_TARGET: usize = ETHERNET + 26;
const SRC6: usize = ETHERNET + 22;
const ND_TARGET: usize = ETHERNET + 40 + 22;

pub(super) fn all() -> [Path; 9] {
    [
        Path {
            name: "not ours",
            frame: udp(ELSEWHERE),
            reason: None,
        },
        Path {
            name: "advertisement outranked",
            frame: advertisement(),
            reason: None,
        },
        Path {
            name: "ARP answered",
            frame: arp(),
            reason: Some(Reason::ArpAnswered),
        },
        Path {
            name: "solicitation answered",
            frame: solicitation(),
            reason: Some(Reason::NdAnswered),
        },
        Path {
            name: "echo answered",
            frame: echo(),
            reason: Some(Reason::EchoAnswered),
        },
        Path {
            name: "delivered",
            frame: udp(vip4(0)),
            reason: Some(Reason::DeliveredLocal),
        },
        Path {
            name: "S-BFD request answered",
            frame: liveness::request(),
            reason: Some(Reason::LiveAnswered),
        },
        Path {
            name: "S-BFD reply stamped",
            frame: liveness::reply(),
            reason: Some(Reason::LiveReply),
        },
        Path {
            name: "BFD echo looped",
            frame: liveness::echo(),
            reason: Some(Reason::BfdEchoLooped),
        },
    ]
}

fn arp() -> Frame {
    let repr = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: EthernetAddress(CLIENT.0),
        source_protocol_addr: CLIENT4,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: vip4(0),
    };
    let mut body = vec![0; repr.buffer_len()];
    repr.emit(&mut ArpPacket::new_unchecked(&mut body));
    Frame {
        octets: ethernet(Mac::BROADCAST, 0x0806, &body),
        number_at: ARP_TARGET,
        complement_at: None,
    }
}

fn solicitation() -> Frame {
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0);
    let icmp = Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit {
        target_addr: vip6(0),
        lladdr: Some(RawHardwareAddress::from_bytes(&CLIENT.0)),
    });
    let ip = Ipv6Repr {
        src_addr: CLIENT6,
        dst_addr: group,
        next_header: IpProtocol::Icmpv6,
        payload_len: icmp.buffer_len(),
        hop_limit: 255,
    };
    let mut body = vec![0; ip.buffer_len() + icmp.buffer_len()];
    let mut packet = Ipv6Packet::new_unchecked(&mut body);
    ip.emit(&mut packet);
    icmp.emit(
        &CLIENT6,
        &group,
        &mut Icmpv6Packet::new_unchecked(packet.payload_mut()),
        &ChecksumCapabilities::default(),
    );
    Frame {
        octets: ethernet(Mac([0x33, 0x33, 0xff, 0, 0, 0]), 0x86dd, &body),
        number_at: ND_TARGET,
        complement_at: Some(SRC6),
    }
}

fn echo() -> Frame {
    let icmp = Icmpv4Repr::EchoRequest {
        ident: 1,
        seq_no: 1,
        data: &PAYLOAD,
    };
    let mut payload = vec![0; icmp.buffer_len()];
    icmp.emit(
        &mut Icmpv4Packet::new_unchecked(&mut payload[..]),
        &ChecksumCapabilities::default(),
    );
    Frame {
        octets: ipv4(vip4(0), IpProtocol::Icmp, &payload),
        number_at: DST4,
        complement_at: Some(SRC4),
    }
}

/// What this host sends, from `src`.
pub(super) fn sent(src: Ipv4Addr) -> Vec<u8> {
    let mut octets = udp(ELSEWHERE).octets;
    octets[SRC4 - 2..][..4].copy_from_slice(&src.octets());
    octets
}

fn udp(dst: Ipv4Addr) -> Frame {
    Frame {
        octets: ipv4(dst, IpProtocol::Udp, &PAYLOAD),
        number_at: DST4,
        complement_at: Some(SRC4),
    }
}

/// VRRP of version 3 with a lower priority. It loses before it is summed up, so its checksum is as good
/// as any, and so is the sender, which is what differs from one to the next.
fn advertisement() -> Frame {
    const ADVERTISEMENT: u8 = 0x31;
    let message = [
        ADVERTISEMENT,
        VRID,
        PRIORITY - 1,
        1,
        0,
        100,
        0,
        0,
        10,
        1,
        0,
        0,
    ];
    let ip = Ipv4Repr {
        src_addr: CLIENT4,
        dst_addr: Ipv4Addr::new(224, 0, 0, 18),
        next_header: IpProtocol::Unknown(112),
        payload_len: message.len(),
        hop_limit: 255,
    };
    let mut body = vec![0; ip.buffer_len() + message.len()];
    let mut packet = Ipv4Packet::new_unchecked(&mut body);
    ip.emit(&mut packet, &ChecksumCapabilities::default());
    packet.payload_mut().copy_from_slice(&message);
    Frame {
        octets: ethernet(Mac([0x01, 0x00, 0x5e, 0x00, 0x00, 0x12]), 0x0800, &body),
        number_at: SRC4,
        complement_at: None,
    }
}

fn ipv4(dst: Ipv4Addr, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let ip = Ipv4Repr {
        src_addr: CLIENT4,
        dst_addr: dst,
        next_header: protocol,
        payload_len: payload.len(),
        hop_limit: 64,
    };
    let mut body = vec![0; ip.buffer_len() + payload.len()];
    let mut packet = Ipv4Packet::new_unchecked(&mut body);
    ip.emit(&mut packet, &ChecksumCapabilities::default());
    packet.payload_mut().copy_from_slice(payload);
    ethernet(MAC4, 0x0800, &body)
}

pub(super) fn ethernet(dst: Mac, ethertype: u16, body: &[u8]) -> Vec<u8> {
    [&dst.0, &CLIENT.0, &ethertype.to_be_bytes()[..], body].concat()
}
