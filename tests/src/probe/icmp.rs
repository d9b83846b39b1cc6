//! ICMP and ICMPv6 echo through the client's stack.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{Icmpv4Message, Icmpv4Packet, Icmpv4Repr, Icmpv6Message, Icmpv6Packet, Ipv4Packet},
};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    channel::{Answer, Channel, Inbox, PAYLOAD_LENGTH, parse_payload, payload, prepare, send},
    record::{Kind, Which},
};

/// Echo requests carry it as their identifier; one is enough, the payload tells them apart.
const IDENTIFIER: u16 = 0x4841;
const HEADER_LENGTH: usize = 8;

pub(super) struct Icmp {
    target: IpAddr,
    socket: Socket,
}

impl Icmp {
    pub(super) fn open(target: IpAddr) -> io::Result<Self> {
        let protocol = match target {
            IpAddr::V4(_) => Protocol::ICMPV4,
            IpAddr::V6(_) => Protocol::ICMPV6,
        };
        let address = SocketAddr::new(target, 0);
        let socket = Socket::new(Domain::for_address(address), Type::RAW, Some(protocol))?;
        // Connected: the socket hears what comes from the virtual IP only.
        socket.connect(&address.into())?;
        prepare(&socket)?;
        Ok(Self { target, socket })
    }
}

impl Channel for Icmp {
    fn kind(&self) -> Kind {
        Kind::Icmp
    }

    fn target(&self) -> IpAddr {
        self.target
    }

    fn send(&mut self, number: u32, _now: Duration) {
        let mut request = [0; HEADER_LENGTH + PAYLOAD_LENGTH];
        match self.target {
            IpAddr::V4(_) => Icmpv4Repr::EchoRequest {
                ident: IDENTIFIER,
                seq_no: number as u16,
                data: &payload(number),
            }
            .emit(
                &mut Icmpv4Packet::new_unchecked(&mut request),
                &ChecksumCapabilities::default(),
            ),
            IpAddr::V6(_) => {
                // The kernel fills in the checksum, since only it knows the source address.
                let mut packet = Icmpv6Packet::new_unchecked(&mut request);
                packet.set_msg_type(Icmpv6Message::EchoRequest);
                packet.set_echo_ident(IDENTIFIER);
                packet.set_echo_seq_no(number as u16);
                packet.payload_mut().copy_from_slice(&payload(number));
            }
        }
        send(&self.socket, &request);
    }

    fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(Answer)) -> io::Result<()> {
        while let Some((packet, at)) = inbox.next(&self.socket)? {
            let number = match self.target {
                IpAddr::V4(_) => {
                    // A raw IPv4 socket delivers the IP header too.
                    let Ok(packet) = Ipv4Packet::new_checked(packet) else {
                        continue;
                    };
                    number_in_echo_reply(packet.payload())
                }
                IpAddr::V6(_) => number_in_echo_reply6(packet),
            };
            if let Some(number) = number {
                take(Answer {
                    which: Which::Number(number),
                    at,
                    owner: None,
                });
            }
        }
        Ok(())
    }
}

/// The number of the probe that an ICMP message answers.
pub(super) fn number_in_echo_reply(message: &[u8]) -> Option<u32> {
    let packet = Icmpv4Packet::new_checked(message).ok()?;
    if packet.msg_type() != Icmpv4Message::EchoReply || packet.echo_ident() != IDENTIFIER {
        return None;
    }
    parse_payload(packet.data()).map(|(number, _)| number)
}

/// The number of the probe that an ICMPv6 message answers.
pub(super) fn number_in_echo_reply6(message: &[u8]) -> Option<u32> {
    let packet = Icmpv6Packet::new_checked(message).ok()?;
    if packet.msg_type() != Icmpv6Message::EchoReply || packet.echo_ident() != IDENTIFIER {
        return None;
    }
    parse_payload(packet.payload()).map(|(number, _)| number)
}
