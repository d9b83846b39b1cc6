//! What the kinds of probes have in common: they send, and they look what has come back.

use std::{
    io::{self, IoSliceMut},
    net::IpAddr,
    os::fd::AsRawFd,
    time::Duration,
};

use nix::{
    cmsg_space,
    errno::Errno,
    sys::{
        socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt},
        time::TimeSpec,
    },
};
use socket2::Socket;

use super::{
    clock::Clock,
    record::{Kind, Which},
};

/// Room for what arrives while the prober is stalled, on a busy machine for tens of milliseconds.
const RECEIVE_BUFFER: usize = 32 << 20;

/// An answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Which probe it answers.
    pub which: Which,
    /// When it arrived.
    pub at: Duration,
    /// The node that says it answered, where answers say so.
    pub owner: Option<u8>,
}

/// Probes of one kind to one virtual IP.
pub(super) trait Channel: Send {
    /// How it asks.
    fn kind(&self) -> Kind;

    /// Whom it asks.
    fn target(&self) -> IpAddr;

    /// Sends the probe with this number. One that cannot be sent, because there is no route or no
    /// neighbour, counts as sent: the service is not there.
    fn send(&mut self, number: u32, now: Duration);

    /// Takes what has arrived, without waiting.
    ///
    /// # Errors
    ///
    /// When the lab's own side fails, so that the measurement is void.
    fn receive(&mut self, inbox: &mut Inbox, take: &mut dyn FnMut(Answer)) -> io::Result<()>;
}

/// Buffers for receiving, and the conversion of receive stamps.
pub(crate) struct Inbox {
    clock: Clock,
    wall_clock_lead: Duration,
    packet: [u8; 2048],
    control: Vec<u8>,
}

impl Inbox {
    pub(crate) fn new(clock: Clock) -> Self {
        let wall_clock_lead = loop {
            if let Some(lead) = clock.wall_clock_lead() {
                break lead;
            }
        };
        Self {
            clock,
            wall_clock_lead,
            packet: [0; 2048],
            control: cmsg_space!(TimeSpec),
        }
    }

    /// Follows corrections of the wall clock. To be called once per round.
    pub(crate) fn adjust(&mut self) {
        if let Some(lead) = self.clock.wall_clock_lead() {
            self.wall_clock_lead = lead;
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The next packet that is waiting in a socket made ready by [`prepare`], and its arrival.
    pub(crate) fn next(&mut self, socket: &Socket) -> io::Result<Option<(&[u8], Duration)>> {
        let mut parts = [IoSliceMut::new(&mut self.packet)];
        let (length, stamp) = loop {
            let received = recvmsg::<()>(
                socket.as_raw_fd(),
                &mut parts,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            );
            match received {
                Ok(message) => {
                    let stamp = message.cmsgs()?.find_map(|control| {
                        if let ControlMessageOwned::ScmTimestampns(stamp) = control {
                            Some(Duration::from(stamp))
                        } else {
                            None
                        }
                    });
                    break (message.bytes, stamp);
                }
                Err(Errno::EAGAIN) => return Ok(None),
                // Word from the network that an earlier probe did not arrive, or that the link went
                // down. It is taken off the socket by being reported.
                Err(
                    Errno::ECONNREFUSED
                    | Errno::EHOSTUNREACH
                    | Errno::ENETUNREACH
                    | Errno::EHOSTDOWN
                    | Errno::ENETDOWN
                    | Errno::EPROTO
                    | Errno::EINTR,
                ) => {}
                Err(error) => return Err(error.into()),
            }
        };
        let at = stamp.map_or_else(
            || self.clock.now(),
            |stamp| stamp.saturating_sub(self.wall_clock_lead),
        );
        Ok(Some((&self.packet[..length], at)))
    }
}

/// Makes a socket ready for [`Inbox::next`].
pub(crate) fn prepare(socket: &Socket) -> io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
    Ok(())
}

/// Sends a packet, once more if the socket had an older error to report first.
pub(super) fn send(socket: &Socket, packet: &[u8]) {
    if socket.send(packet).is_err() {
        // What fails twice is lost, and seen as lost.
        let _ = socket.send(packet);
    }
}

/// What a probe of the client carries, so that its answer can be told from any other packet.
pub(super) const PAYLOAD_LENGTH: usize = 12;
const MAGIC: [u8; 8] = *b"ha-probe";

pub(super) fn payload(number: u32) -> [u8; PAYLOAD_LENGTH] {
    let mut payload = [0; PAYLOAD_LENGTH];
    payload[..8].copy_from_slice(&MAGIC);
    payload[8..].copy_from_slice(&number.to_be_bytes());
    payload
}

/// The probe's number and what follows the payload; `None` if it is not one of ours.
pub(super) fn parse_payload(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}
