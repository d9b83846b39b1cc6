//! Events that the kernel half reports.

use std::net::{IpAddr, Ipv6Addr};

use ha_common::abi::{Event, EventKind};

use super::Engine;

impl Engine {
    /// Logs and keeps what the kernel half has seen.
    pub(super) fn kernel_event(&mut self, event: &Event) {
        let Some(kind) = EventKind::from_u32(event.kind) else {
            tracing::warn!(kind = event.kind, "the kernel reports an unknown event");
            return;
        };
        let vip = address(event.addr);
        let mac = event.mac;
        match kind {
            // The keeper brings the same news with the generation, which decides what is done.
            EventKind::LeaseLapsed => tracing::debug!("the kernel says that the lease has lapsed"),
            EventKind::Demoted => {
                self.report(
                    event.group,
                    "demoted",
                    format!("the kernel demoted the node for {mac}"),
                );
            }
            EventKind::ConflictingOwner => self.report(
                event.group,
                "conflicting_owner",
                format!("{mac} claims the virtual IP {vip}, which this node has"),
            ),
            EventKind::StaleSender => tracing::debug!(%mac, %vip, "a sender still uses this node"),
        }
    }

    fn report(&mut self, slot: u32, kind: &str, text: String) {
        match self.groups.iter().find(|group| group.slot == slot) {
            Some(group) => {
                tracing::warn!(group = %group.name, "{text}");
                self.history.group(&group.name, kind, text);
            }
            None => self.history.node(kind, text),
        }
    }
}

/// An address of an event, which has IPv4 as v4-mapped IPv6.
fn address(octets: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(octets).to_canonical()
}
