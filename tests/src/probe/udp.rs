//! Datagrams to the echo service, which sends them back with its node's name.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

use super::{
    channel::{Answer, Channel, Inbox, parse_payload, payload, prepare, send},
    record::{Kind, Which},
};
use crate::echo::{self, Names};

pub(super) struct Udp {
    target: IpAddr,
    socket: Socket,
    names: Arc<Names>,
}

impl Udp {
    pub(super) fn open(target: IpAddr, names: Arc<Names>) -> io::Result<Self> {
        let service = SocketAddr::new(target, echo::PORT);
        let socket = Socket::new(
            Domain::for_address(service),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        socket.connect(&service.into())?;
        prepare(&socket)?;
        Ok(Self {
            target,
            socket,
            names,
        })
    }
}

impl Channel for Udp {
    fn kind(&self) -> Kind {
        Kind::Udp
    }

    fn target(&self) -> IpAddr {
        self.target
    }

    fn send(&mut self, number: u32, _now: Duration) {
        send(&self.socket, &payload(number));
    }

    fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(Answer)) -> io::Result<()> {
        while let Some((packet, at)) = inbox.next(&self.socket)? {
            let Some((number, name)) = parse_payload(packet) else {
                continue;
            };
            take(Answer {
                which: Which::Number(number),
                at,
                owner: self.names.index(name),
            });
        }
        Ok(())
    }
}
