//! TCP connections to the echo service, which greets with its node's name.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Protocol, Socket, Type};

use super::{
    channel::{Answer, Channel, Inbox},
    record::{Kind, PATIENCE, Which},
};
use crate::echo::{self, Names};

/// A connection under way.
struct Attempt {
    socket: Socket,
    started: Duration,
}

pub(super) struct Tcp {
    service: SocketAddr,
    epoll: Epoll,
    attempts: BTreeMap<u32, Attempt>,
    names: Arc<Names>,
}

impl Tcp {
    pub(super) fn open(target: IpAddr, names: Arc<Names>) -> io::Result<Self> {
        Ok(Self {
            service: SocketAddr::new(target, echo::PORT),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            attempts: BTreeMap::new(),
            names,
        })
    }

    fn connect(&self, number: u32) -> io::Result<Socket> {
        let kind = Type::STREAM.nonblocking();
        let socket = Socket::new(Domain::for_address(self.service), kind, Some(Protocol::TCP))?;
        // Close with a reset: thousands of connections a second would otherwise leave their ports
        // in TIME_WAIT.
        socket.set_linger(Some(Duration::ZERO))?;
        match socket.connect(&self.service.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            result => result?,
        }
        self.epoll
            .add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, number.into()))?;
        Ok(socket)
    }

    fn give_up_before(&mut self, time: Duration) {
        while let Some(oldest) = self.attempts.first_entry()
            && oldest.get().started < time
        {
            oldest.remove();
        }
    }
}

impl Channel for Tcp {
    fn kind(&self) -> Kind {
        Kind::Tcp
    }

    fn target(&self) -> IpAddr {
        self.service.ip()
    }

    fn send(&mut self, number: u32, now: Duration) {
        // A connection that cannot even be tried is a lost probe like any other.
        if let Ok(socket) = self.connect(number) {
            let started = now;
            self.attempts.insert(number, Attempt { socket, started });
        }
    }

    fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(Answer)) -> io::Result<()> {
        let now = inbox.now();
        let mut events = [EpollEvent::empty(); 64];
        loop {
            let ready = self.epoll.wait(&mut events, EpollTimeout::ZERO)?;
            for event in &events[..ready] {
                let number = u32::try_from(event.data()).expect("numbers are what was registered");
                let Some(mut attempt) = self.attempts.remove(&number) else {
                    continue;
                };
                let mut greeting = [0; 64];
                // Refused and reset connections are readable too; they are lost.
                if let Ok(length @ 1..) = attempt.socket.read(&mut greeting) {
                    take(Answer {
                        which: Which::Number(number),
                        at: now,
                        owner: self.names.index(&greeting[..length]),
                    });
                }
            }
            if ready < events.len() {
                break;
            }
        }
        self.give_up_before(now.saturating_sub(PATIENCE));
        Ok(())
    }
}
