//! The echo packets of a session, which its router sends back.

use std::{
    io,
    net::IpAddr,
    num::NonZeroU32,
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, Result};

use super::{Router, session::unguessable};
use crate::net::EchoSocket;

/// Packets that are read before timers have their turn.
const MOST: usize = 4_096;

/// Octets: the session's number, the packet's, and a word that nobody else knows (RFC 5880 section 6.8.8 leaves
/// the contents to the sender, section 9 wants them hard to forge).
#[derive(Debug)]
pub(super) struct Echo {
    socket: EchoSocket,
    session: NonZeroU32,
    word: u64,
    /// The own address, once it was needed.
    own: Option<IpAddr>,
}

impl Echo {
    /// # Errors
    /// If the sockets cannot be had.
    pub(super) fn open(router: &Router, session: NonZeroU32) -> Result<Self> {
        let (interface, address) = (&router.session.interface, router.session.address);
        let socket = EchoSocket::open(interface, router.ifindex, address).with_context(|| {
            format!("cannot open the sockets for echo packets over {interface} (needs CAP_NET_RAW)")
        })?;
        Ok(Self {
            socket,
            session,
            word: unguessable(),
            own: None,
        })
    }

    /// The session comes Up: the own address may be another one than last time.
    pub(super) fn forget_address(&mut self) {
        self.own = None;
    }

    /// Sends a packet at once or not at all.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn send(&mut self, sequence: u32) -> io::Result<()> {
        let own = match self.own {
            Some(own) => own,
            None => self.socket.own_address()?,
        };
        self.own = Some(own);
        self.socket.send(own, &self.payload(sequence))
    }

    /// The numbers of the packets that are back.
    pub(super) fn returned(&self) -> Vec<u32> {
        let mut sequences = Vec::new();
        for _ in 0..MOST {
            match self.socket.receive() {
                Ok(Some(Some(payload))) => sequences.extend(self.sequence(payload)),
                Ok(Some(None)) => {}
                // An error tells that the interface went down, and so do the packets that are missing.
                Ok(None) | Err(_) => break,
            }
        }
        sequences
    }

    fn payload(&self, sequence: u32) -> [u8; 16] {
        let numbers = u128::from(self.session.get()) << 96 | u128::from(sequence) << 64;
        (numbers | u128::from(self.word)).to_be_bytes()
    }

    /// The number of a packet, if it is one of this session.
    fn sequence(&self, payload: [u8; 16]) -> Option<u32> {
        let sequence = (u128::from_be_bytes(payload) >> 64) as u32;
        (self.payload(sequence) == payload).then_some(sequence)
    }
}

impl AsFd for Echo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
