//! The other router.

use std::{fmt::Write, net::IpAddr, time::Duration};

use anyhow::Result;

use super::{Case, Protocol};
use crate::{
    frr::{Frr, Router},
    keepalived::Keepalived,
    node::{INTERFACE, Node},
};

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// keepalived as it is mostly set up: with the MAC of its interface.
    Keepalived,
    /// keepalived with a virtual MAC.
    KeepalivedVmac,
    /// FRR's `vrrpd`, which always has a virtual MAC.
    Frr,
}

/// The other router, running.
pub(super) enum Peer {
    Keepalived(Keepalived),
    Frr(Frr),
}

/// What it may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

impl Peer {
    /// Starts it on `node`; ours is on `other`.
    pub(super) fn start(
        case: &Case,
        node: &Node,
        other: &Node,
        vips: &[IpAddr],
        vrid: u8,
    ) -> Result<Self> {
        Ok(match case.maker {
            Maker::Keepalived | Maker::KeepalivedVmac => {
                let config = keepalived(case, node, other, vips, vrid);
                Self::Keepalived(Keepalived::start_with(node, &config)?)
            }
            Maker::Frr => {
                let router = Router {
                    version: case.protocol.version(),
                    vrid,
                    priority: case.theirs.priority,
                    interval: case.theirs.interval(),
                    vips: vips.to_vec(),
                };
                Self::Frr(Frr::vrrp(node, &router)?)
            }
        })
    }

    /// Ends it as an operator would.
    pub(super) fn stop(&mut self) -> Result<()> {
        match self {
            Self::Keepalived(keepalived) => keepalived.daemon.stop(PATIENCE),
            Self::Frr(frr) => frr.stop(),
        }
    }
}

fn keepalived(case: &Case, node: &Node, other: &Node, vips: &[IpAddr], vrid: u8) -> String {
    let mut text = format!(
        "global_defs {{\n  router_id {}\n  vrrp_version {}\n}}\n\
         vrrp_instance V {{\n  state BACKUP\n  interface {INTERFACE}\n  virtual_router_id {vrid}\n  \
         priority {}\n  advert_int {}\n",
        node.name(),
        case.protocol.version(),
        case.theirs.priority,
        case.theirs.interval().as_secs_f64(),
    );
    if case.maker == Maker::KeepalivedVmac {
        text.push_str("  use_vmac\n");
    }
    if case.unicast {
        let (own, peer) = (case.protocol.address(node), case.protocol.address(other));
        let _ = write!(
            text,
            "  unicast_src_ip {own}\n  unicast_peer {{\n    {peer}\n  }}\n"
        );
    }
    text.push_str("  virtual_ipaddress {\n");
    for vip in vips {
        let _ = writeln!(text, "    {vip}");
    }
    text.push_str("  }\n}\n");
    text
}

impl Protocol {
    /// Version of VRRP.
    pub(super) const fn version(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 | Self::V3Ipv6 => 3,
        }
    }

    /// Where a node advertises from.
    pub(super) fn address(self, node: &Node) -> IpAddr {
        match self {
            Self::V2 | Self::V3 => node.station().v4.into(),
            Self::V3Ipv6 => node.link_local().into(),
        }
    }
}
