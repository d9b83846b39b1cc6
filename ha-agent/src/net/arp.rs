//! Questions that make another host send a frame to a MAC of one's choice.
//!
//! Who answers an ARP request sends to the sender's hardware address that is *in* it. A request whose sender
//! has no IP address yet (RFC 5227 section 2.1.1) is answered too, and puts nothing into anybody's cache.

use std::{
    io::{self, Read as _},
    net::Ipv4Addr,
    os::fd::AsFd,
    time::Duration,
};

use ha_common::{
    abi::Mac,
    wire::{arp, eth},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::unix::AsyncFd, time::Instant};

use super::packet::{filter, sys};

/// A header and a packet.
const LEN: usize = 14 + 28;
/// Where the packet's operation, its sender's address and its target's MAC begin.
const OPERATION: usize = 14 + 6;
const SENDER: usize = 14 + 14;

/// A socket that asks over one interface, and hears the answers that its NIC lets through.
#[derive(Debug)]
pub struct Asker {
    socket: AsyncFd<Socket>,
    own: Mac,
}

impl Asker {
    /// Opens the socket on the interface `index`, whose own MAC this is.
    ///
    /// # Errors
    /// The kernel's; without `CAP_NET_RAW` that is `EPERM`.
    pub fn open(index: u32, own: Mac) -> io::Result<Self> {
        // Without a protocol nothing is received until the filter is in place and `bind` names one.
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
        socket.set_nonblocking(true)?;
        socket.attach_filter(&filter::ARP)?;
        sys::ignore_outgoing(socket.as_fd())?;
        sys::bind(socket.as_fd(), index)?;
        let socket = sys::watch(socket)?;
        Ok(Self { socket, own })
    }

    /// Whether the host with this address answers to `mac`, and the answer arrives within `patience`. It is asked from
    /// the interface's own MAC, so that no switch learns another one here.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn reaches(
        &self,
        mac: Mac,
        target: Ipv4Addr,
        patience: Duration,
    ) -> io::Result<bool> {
        self.ask(self.own, mac, target)?;
        let end = Instant::now() + patience;
        Ok(self.answer(&[mac], &[target], end).await?.is_some())
    }

    /// Asks a host, in a frame from the MAC `source`, to answer to `mac`.
    ///
    /// # Errors
    /// The kernel's.
    pub fn ask(&self, source: Mac, mac: Mac, target: Ipv4Addr) -> io::Result<()> {
        let request = request(source, mac, target);
        self.socket.get_ref().send(&request).map(drop)
    }

    /// Waits until `end` for one of these hosts to answer to one of these MACs; which, and to which.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn answer(
        &self,
        macs: &[Mac],
        targets: &[Ipv4Addr],
        end: Instant,
    ) -> io::Result<Option<(Ipv4Addr, Mac)>> {
        loop {
            let Ok(ready) = tokio::time::timeout_at(end, self.socket.readable()).await else {
                return Ok(None);
            };
            let mut ready = ready?;
            let mut frame = [0; 64];
            match self.socket.get_ref().read(&mut frame) {
                Ok(len) => {
                    let mut all = targets
                        .iter()
                        .flat_map(|target| macs.iter().map(|mac| (*target, *mac)));
                    let is_of = |(target, mac): &(_, _)| is_answer(&frame[..len], *mac, *target);
                    if let Some(found) = all.find(is_of) {
                        return Ok(Some(found));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Err(error),
            }
        }
    }
}

fn request(source: Mac, mac: Mac, target: Ipv4Addr) -> Vec<u8> {
    let nobody = Ipv4Addr::UNSPECIFIED.octets();
    let packet = arp::Packet::new(arp::OP_REQUEST, (mac, nobody), (Mac::ZERO, target.octets()));
    let mut frame = Vec::with_capacity(LEN);
    frame.extend(Mac::BROADCAST.0);
    frame.extend(source.0);
    frame.extend(eth::ETHERTYPE_ARP.to_be_bytes());
    frame.extend(packet.hardware);
    frame.extend(packet.protocol);
    frame.extend(packet.lengths);
    frame.extend(packet.operation);
    frame.extend(packet.sender_mac.0);
    frame.extend(packet.sender);
    frame.extend(packet.target_mac.0);
    frame.extend(packet.target);
    frame
}

fn is_answer(frame: &[u8], mac: Mac, target: Ipv4Addr) -> bool {
    frame.len() >= LEN
        && frame[..6] == mac.0
        && frame[OPERATION..OPERATION + 2] == arp::OP_REPLY.to_be_bytes()
        && frame[SENDER..SENDER + 4] == target.octets()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_the_mac_counts() {
        let (own, mac) = (Mac([2, 0, 0, 0, 0, 1]), Mac([0, 0, 0x5e, 0, 1, 0x33]));
        let target = Ipv4Addr::new(192, 0, 2, 1);
        let asked = request(own, mac, target);
        assert_eq!(asked.len(), LEN);
        assert_eq!(asked[6..12], own.0);
        assert_eq!(asked[22..28], mac.0);
        assert!(!is_answer(&asked, mac, target), "a question is none");

        let mut answer = asked.clone();
        answer[..6].copy_from_slice(&mac.0);
        answer[OPERATION + 1] = 2;
        answer[SENDER..SENDER + 4].copy_from_slice(&target.octets());
        assert!(is_answer(&answer, mac, target));
        assert!(!is_answer(&answer, own, target), "to another MAC");
        assert!(!is_answer(&answer, mac, Ipv4Addr::new(192, 0, 2, 2)));
        assert!(!is_answer(&answer[..LEN - 1], mac, target), "cut short");
    }
}
