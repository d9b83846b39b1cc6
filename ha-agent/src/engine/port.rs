//! An interface at run time: where frames come in and go out.

use std::io;

use anyhow::{Context, Result};
use ha_common::abi::Mac;

use crate::net::{Addresses, Link, Membership, PacketSocket};

/// What there has to be of an interface before it is used.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) link: Link,
    /// What has the host's addresses: the bridge if `link` is a port of one, else `link` itself.
    pub(super) home: Link,
    pub(super) addresses: Addresses,
    pub(super) presence: Presence,
}

/// Whether an interface is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is a port already.
    Known,
    /// It is to become one, perhaps in place of one of the same name.
    New,
    /// It was a port, and is not there at present.
    Gone,
}

/// An interface of the configuration.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) link: Link,
    /// What has the host's addresses: the bridge if `link` is a port of one, else `link` itself.
    pub(super) home: Link,
    pub(super) addresses: Addresses,
    pub(super) socket: PacketSocket,
    /// Left when the agent stops.
    pub(super) _membership: Membership,
    /// It is not there any more, or is another one of the same name.
    pub(super) is_gone: bool,
    /// Frames that could not be sent since the last one that could.
    pub(super) unsent: u64,
}

impl Port {
    /// Listens for advertisements.
    pub(super) fn open(ground: Ground) -> Result<Self> {
        let Ground {
            link,
            home,
            addresses,
            ..
        } = ground;
        let name = &link.name;
        let socket = PacketSocket::open(link.index).with_context(|| {
            format!("cannot open a packet socket on {name} (needs CAP_NET_RAW)")
        })?;
        let membership = Membership::join(link.index)
            .with_context(|| format!("cannot listen for VRRP on {name}"))?;
        Ok(Self {
            link,
            home,
            addresses,
            socket,
            _membership: membership,
            is_gone: false,
            unsent: 0,
        })
    }

    pub(super) fn ground(&self) -> Ground {
        Ground {
            link: self.link.clone(),
            home: self.home.clone(),
            addresses: self.addresses,
            presence: if self.is_gone {
                Presence::Gone
            } else {
                Presence::Known
            },
        }
    }

    /// Whether it is the interface that has its name now. One that was made anew may have its index too, but not
    /// the program.
    pub(super) fn is(&self, found: &Link) -> bool {
        !self.is_gone && self.link.index == found.index && found.xdp.is_some()
    }

    /// The MAC at which the host itself is found.
    pub(super) const fn mac(&self) -> Mac {
        self.home.mac
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Sends a frame. The first failure of a series is logged, and the end of the series too.
    pub(super) fn send(&mut self, frame: &[u8]) {
        let name = &self.link.name;
        match self.socket.send(frame) {
            Ok(()) if self.unsent == 0 => {}
            Ok(()) => {
                tracing::warn!(interface = %name, "sends again after {} lost frames", self.unsent);
                self.unsent = 0;
            }
            Err(error) => {
                if self.unsent == 0 {
                    tracing::warn!(interface = %name, "cannot send a frame: {error}");
                }
                self.unsent += 1;
            }
        }
    }
}
