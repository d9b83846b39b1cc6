//! The Ethernet header and its VLAN tags.

use ha_common::{
    abi::{Group, Mac, PORT_IDLE, Vip, Vlan},
    reason::Reason,
    wire::eth,
};

use crate::{
    End,
    maps::Maps,
    packet::{Packet, SocketBuffer},
};

/// Tags that are looked through; a frame with more is not ours.
const MAX_TAGS: usize = 2;

/// [`Frame::ethertype`] of what is not looked at.
const NOTHING: u16 = 0;

/// What must be known of every frame.
pub(crate) struct Frame {
    pub(crate) vlan: Vlan,
    pub(crate) ethertype: u16,
    /// Offset of what follows the Ethernet header and the tags.
    pub(crate) l3: usize,
}

/// What must be known of a frame that is for a virtual IP.
pub(crate) struct Hit {
    pub(crate) vip: Vip,
    pub(crate) vlan: Vlan,
    /// Offset of what follows the Ethernet header and the tags.
    pub(crate) l3: usize,
    pub(crate) dst: Mac,
    pub(crate) src: Mac,
    /// The interface that received the frame; the bond, if that is a port of one.
    pub(crate) ifindex: u32,
    /// Octets of the frame, all its buffers together.
    pub(crate) len: usize,
}

/// Whose a frame's destination is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// The group's MAC or the interface's.
    Us,
    /// Everybody's, or a multicast group's.
    Many,
    /// Another station's.
    Other,
}

impl Frame {
    /// Reads EtherType and tags. In a frame that ends before they do, or has more tags, there is
    /// nothing of interest.
    #[inline(always)]
    pub(crate) fn parse(packet: &Packet) -> Self {
        let mut frame = Self {
            vlan: Vlan::default(),
            ethertype: packet
                .get::<eth::Header>(0)
                .map_or(NOTHING, |header| u16::from_be_bytes(header.ethertype)),
            l3: size_of::<eth::Header>(),
        };
        for _ in 0..MAX_TAGS {
            if !is_tag(frame.ethertype) {
                break;
            }
            let Some(tag) = packet.get::<eth::Tag>(frame.l3) else {
                frame.ethertype = NOTHING;
                break;
            };
            frame.vlan = behind(frame.vlan, tag.vlan_id());
            frame.ethertype = u16::from_be_bytes(tag.ethertype);
            frame.l3 += size_of::<eth::Tag>();
        }
        frame
    }

    /// The same of a frame whose outer tag may lie beside it.
    #[inline(always)]
    pub(crate) fn of(buffer: &SocketBuffer) -> Self {
        let header: eth::Header = buffer.read(0);
        let mut frame = Self {
            vlan: Vlan::default(),
            ethertype: u16::from_be_bytes(header.ethertype),
            l3: size_of::<eth::Header>(),
        };
        let mut left = MAX_TAGS;
        if let Some(vlan_id) = buffer.vlan_id() {
            frame.vlan = behind(frame.vlan, vlan_id);
            left -= 1;
        }
        for place in 0..MAX_TAGS {
            if place == left || !is_tag(frame.ethertype) {
                break;
            }
            let tag: eth::Tag = buffer.read(frame.l3);
            frame.vlan = behind(frame.vlan, tag.vlan_id());
            frame.ethertype = u16::from_be_bytes(tag.ethertype);
            frame.l3 += size_of::<eth::Tag>();
        }
        frame
    }

    /// Reads what is needed to handle a frame for this virtual IP.
    #[inline(always)]
    pub(crate) fn hit(&self, packet: &Packet, maps: &Maps, vip: &Vip) -> Hit {
        let eth::Header { dst, src, .. } = packet.get(0).copied().unwrap_or_default();
        Hit {
            vip: *vip,
            vlan: self.vlan,
            l3: self.l3,
            dst,
            src,
            ifindex: maps.arrival(packet),
            len: packet.len(),
        }
    }
}

impl Hit {
    /// The end of a frame, counted for the virtual IP's own group.
    #[inline(always)]
    pub(crate) fn end(&self, reason: Reason) -> End {
        End {
            reason: Some(reason),
            group: self.vip.group,
            len: self.len,
        }
    }

    /// Whether the frame came in where the group is served. Only of that interface are the MACs
    /// known.
    #[inline(always)]
    pub(crate) fn is_at_home(&self, group: &Group) -> bool {
        self.ifindex == group.ifindex
    }

    /// Whether the frame is for everybody, and came by a port that its bond does not use. The port in use gets it, too,
    /// and while a group changes hands two owners could answer one of them each. What is for this node alone is not
    /// asked about: when a bond has just gone over, the agent has yet to say so.
    #[inline(always)]
    pub(crate) fn is_idle_copy(&self, packet: &Packet, maps: &Maps) -> bool {
        self.dst.is_multicast() && maps.port(packet.ifindex()).flags & PORT_IDLE != 0
    }

    /// Whose the destination is, when `mac` is the group's MAC for the frame's family.
    #[inline(always)]
    pub(crate) fn addressed(&self, mac: Mac, group: &Group) -> Addressed {
        if self.dst == mac || self.dst == group.nic {
            Addressed::Us
        } else if self.dst.is_multicast() {
            Addressed::Many
        } else {
            Addressed::Other
        }
    }
}

/// The network behind one more tag. A tag of VLAN 0 carries a priority and names no VLAN (IEEE 802.1Q
/// section 6.9.1).
#[inline(always)]
pub(crate) const fn behind(vlan: Vlan, vlan_id: u16) -> Vlan {
    if vlan.outer == 0 {
        Vlan {
            outer: vlan_id,
            ..vlan
        }
    } else {
        Vlan {
            inner: vlan_id,
            ..vlan
        }
    }
}

#[inline(always)]
pub(crate) const fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, eth::ETHERTYPE_VLAN | eth::ETHERTYPE_SERVICE_VLAN)
}
