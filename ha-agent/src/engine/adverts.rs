//! Advertisements in and out.

use std::net::IpAddr;

use ha_common::wire::vrrp as wire;
use ha_core::{
    election::Input,
    vrrp::{Advertisement, Carrier, Context, Discard, Peers, Primary, Version},
};

use super::{Engine, group::Kind};
use crate::net::frame::{self, Destination, Heard};

/// Room for a frame of the largest advertisement, tags included.
const FRAME_LEN: usize = 2048;

impl Engine {
    /// Hands every advertisement that has come in to its election.
    pub(super) fn read_adverts(&mut self) {
        let mut buffer = [0; FRAME_LEN];
        for port in 0..self.ports.len() {
            while let Some(len) = self.next_frame(port, &mut buffer) {
                let received = crate::net::Received {
                    len: len.0,
                    outer_vlan: len.1,
                };
                if let Some(heard) = frame::heard(&buffer[..len.0], received) {
                    self.heard(port, &heard);
                }
            }
        }
    }

    /// Throws away every advertisement that has come in.
    pub(super) fn forget_adverts(&mut self) {
        let mut buffer = [0; FRAME_LEN];
        for port in 0..self.ports.len() {
            while self.next_frame(port, &mut buffer).is_some() {}
        }
    }

    fn next_frame(&self, port: usize, buffer: &mut [u8]) -> Option<(usize, u16)> {
        let port = &self.ports[port];
        match port.socket.try_recv(buffer) {
            Ok(received) => received.map(|received| (received.len, received.outer_vlan)),
            Err(error) => {
                tracing::warn!(interface = %port.link.name, "cannot receive: {error}");
                None
            }
        }
    }

    fn heard(&mut self, port: usize, heard: &Heard<'_>) {
        let Some(vrid) = heard.message.get(wire::OFFSET_VRID).copied() else {
            return;
        };
        // A virtual router of somebody else on the same network is none of our business.
        let Some(&index) = self.routers.get(&(port, heard.vlan, vrid)) else {
            return;
        };
        let group = &self.groups[index];
        let Some(vrrp) = group.election.vrrp() else {
            return;
        };
        let direct = match destined(heard.carrier) {
            To::Group => false,
            To::Node(address) if vrrp.primary().contains(address) => true,
            To::Node(_) => return,
        };
        let context = Context {
            carrier: heard.carrier,
            hop_limit: heard.hop_limit,
            vrids: &[vrrp.machine.config().vrid],
            version: vrrp.machine.config().version,
            advert_interval: vrrp.machine.config().advert_interval,
            checksum4: None,
        };
        let from = heard.carrier.source();
        // From another interface of this node on the same network, before the group moved.
        if self.ports.iter().any(|port| port.addresses.contain(from)) {
            return;
        }
        if !vrrp.machine.config().peers.accepts(from) {
            let why = Discard::NotAPeer;
            self.discards.count(&group.name, from, why.name(), &why);
            return;
        }
        match Advertisement::decode(heard.message, &context) {
            Ok(advert) => {
                self.mute.heard(self.now(), group.ifindex, from);
                self.peers.seek(group.ifindex, from);
                self.learn_checksum(index, heard);
                self.input(
                    index,
                    Input::Advert {
                        from,
                        direct,
                        advert,
                    },
                );
            }
            Err(why) => self.discards.count(&group.name, from, why.name(), &why),
        }
    }

    /// Takes over the kind of checksum that the peer uses, if the configuration leaves it open.
    fn learn_checksum(&mut self, index: usize, heard: &Heard<'_>) {
        let group = &mut self.groups[index];
        let Kind::Vrrp(vrrp) = &mut group.election else {
            return;
        };
        if vrrp.machine.config().version == Version::V3
            && let Some(kind) = vrrp.checksum.learn(heard.message, heard.carrier)
        {
            let from = heard.carrier.source();
            tracing::info!(group = %group.name, %from, ?kind, "advertises with the checksum of the peer");
        }
    }

    /// Sends the advertisement of a group with this priority: to everybody, or to one peer.
    pub(super) fn advertise(&mut self, index: usize, priority: u8, to: Option<IpAddr>) {
        let group = &self.groups[index];
        let Some(vrrp) = group.election.vrrp() else {
            return;
        };
        let carriers = match (&vrrp.machine.config().peers, to) {
            (_, Some(peer)) => carriers(vrrp.primary(), Some(peer)),
            (Peers::Multicast, None) => carriers(vrrp.primary(), None),
            (Peers::Unicast(peers), None) => {
                for peer in peers.iter() {
                    self.peers.seek(group.ifindex, *peer);
                }
                let each = peers.iter();
                each.flat_map(|peer| carriers(vrrp.primary(), Some(*peer)))
                    .collect()
            }
        };
        let mut frames = Vec::with_capacity(carriers.len());
        for carrier in carriers {
            let (v4, virtual_mac) = match carrier {
                Carrier::V4 { .. } => (true, group.mac4),
                Carrier::V6 { .. } => (false, group.mac6),
            };
            let advert = vrrp.advertisement(priority, &group.vips, v4);
            let message = match advert.encode(carrier, vrrp.checksum.sent()) {
                Ok(message) => message,
                Err(error) => {
                    tracing::error!(group = %group.name, "cannot advertise: {error}");
                    continue;
                }
            };
            // What goes to all teaches the switches where the virtual MAC is, also if it goes to each.
            let source = match to {
                None => virtual_mac,
                Some(_) => self.ports[group.port].mac(),
            };
            let destination = match destined(carrier) {
                To::Group => Destination::Group,
                To::Node(peer) => {
                    let mac = self.peers.mac(group.ifindex, peer);
                    mac.map_or(Destination::Group, Destination::Peer)
                }
            };
            let vlan = group.vlan;
            frames.push(frame::advertisement(
                source,
                destination,
                vlan,
                carrier,
                &message,
            ));
        }
        let port = &mut self.ports[group.port];
        for frame in frames {
            port.send(&frame);
        }
    }
}

/// To whom a packet is addressed.
enum To {
    Group,
    Node(IpAddr),
}

fn destined(carrier: Carrier) -> To {
    match carrier {
        Carrier::V4 { destination, .. } if destination.octets() == wire::MULTICAST4 => To::Group,
        Carrier::V6 { destination, .. } if destination.octets() == wire::MULTICAST6 => To::Group,
        Carrier::V4 { destination, .. } => To::Node(destination.into()),
        Carrier::V6 { destination, .. } => To::Node(destination.into()),
    }
}

/// The packets in which an advertisement goes out: one in each family, or one to a peer.
fn carriers(own: Primary, to: Option<IpAddr>) -> Vec<Carrier> {
    let v4 = own.v4().and_then(|source| carrier4(source, to));
    let v6 = own.v6().and_then(|source| carrier6(source, to));
    v4.into_iter().chain(v6).collect()
}

fn carrier4(source: std::net::Ipv4Addr, to: Option<IpAddr>) -> Option<Carrier> {
    let destination = match to {
        None => wire::MULTICAST4.into(),
        Some(IpAddr::V4(peer)) => peer,
        Some(IpAddr::V6(_)) => return None,
    };
    Some(Carrier::V4 {
        source,
        destination,
    })
}

fn carrier6(source: std::net::Ipv6Addr, to: Option<IpAddr>) -> Option<Carrier> {
    let destination = match to {
        None => wire::MULTICAST6.into(),
        Some(IpAddr::V6(peer)) => peer,
        Some(IpAddr::V4(_)) => return None,
    };
    Some(Carrier::V6 {
        source,
        destination,
    })
}
