//! A station that sends any frame, and asks by ARP who has an address: the observer's port by hand.

use std::{
    io::{ErrorKind, Read},
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
};
use socket2::Socket;

use crate::{address, lab::Lab, netns::NetNs, node::INTERFACE, sys};

/// Room for a frame of ARP, padded.
const FRAME_LEN: usize = 128;
/// The length of both MACs, behind which a VLAN tag is.
const MACS: usize = 12;
/// What is in front of a tag (IEEE 802.1Q).
const TPID: u16 = 0x8100;

/// The observer's port, or another machine's.
#[derive(Debug)]
pub struct Station {
    socket: Socket,
    address: Ipv4Addr,
    /// The VLAN on which it asks.
    vlan: Option<u16>,
}

impl Station {
    /// Takes the port of the lab's observer.
    ///
    /// # Errors
    ///
    /// When there is no socket to be had.
    pub fn observer(lab: &Lab) -> Result<Self> {
        Self::on(lab.observer())
    }

    /// Takes the port of another machine, for frames that its kernel would not make.
    ///
    /// # Errors
    ///
    /// When there is no socket to be had.
    pub fn on(machine: &NetNs) -> Result<Self> {
        let ifindex = machine.ifindex(INTERFACE)?;
        let socket = machine.run(|| {
            let socket = sys::packet_socket(libc::ETH_P_ARP as u16, ifindex)?;
            socket.set_nonblocking(false)?;
            Ok(socket)
        })?;
        let IpAddr::V4(address) = address::asking(Ipv4Addr::UNSPECIFIED.into(), 0) else {
            unreachable!("an asking address is of the target's family")
        };
        Ok(Self {
            socket,
            address,
            vlan: None,
        })
    }

    /// The same station, asking on a VLAN.
    #[must_use]
    pub fn on_vlan(self, id: u16) -> Self {
        Self {
            vlan: Some(id),
            ..self
        }
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        let sent = self.socket.send(frame).context("sending a frame")?;
        ensure!(sent == frame.len(), "only {sent} octets were sent");
        Ok(())
    }

    /// Whether somebody answers for `target` within `patience`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn is_answered(&self, target: Ipv4Addr, patience: Duration) -> Result<bool> {
        self.send(&self.question(target))?;
        let end = Instant::now() + patience;
        let mut buffer = [0; FRAME_LEN];
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.socket
                .set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
            match (&self.socket).read(&mut buffer) {
                Ok(len) if self.is_answer(&buffer[..len], target) => return Ok(true),
                Ok(_) => {}
                // A read that times out would block.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("receiving an answer"),
            }
        }
        Ok(false)
    }

    fn question(&self, target: Ipv4Addr) -> Vec<u8> {
        let request = ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: EthernetAddress(address::OBSERVER_MAC),
            source_protocol_addr: self.address,
            target_hardware_addr: EthernetAddress([0; 6]),
            target_protocol_addr: target,
        };
        let mut bytes = vec![0; EthernetFrame::<&[u8]>::buffer_len(request.buffer_len())];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes);
        frame.set_src_addr(EthernetAddress(address::OBSERVER_MAC));
        frame.set_dst_addr(EthernetAddress::BROADCAST);
        frame.set_ethertype(EthernetProtocol::Arp);
        request.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
        if let Some(id) = self.vlan {
            let tag = [TPID.to_be_bytes(), id.to_be_bytes()].concat();
            bytes.splice(MACS..MACS, tag);
        }
        bytes
    }

    fn is_answer(&self, frame: &[u8], target: Ipv4Addr) -> bool {
        let arp = EthernetFrame::new_checked(frame)
            .and_then(|frame| ArpPacket::new_checked(frame.payload()))
            .and_then(|packet| ArpRepr::parse(&packet));
        matches!(arp, Ok(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Reply,
            source_protocol_addr,
            target_protocol_addr,
            ..
        }) if (source_protocol_addr, target_protocol_addr) == (target, self.address))
    }
}
