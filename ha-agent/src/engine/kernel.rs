//! Events that the kernel half reports.

use std::net::{IpAddr, Ipv6Addr};

use ha_common::abi::{Event, EventKind, Mac};
use ha_core::election::{Election as _, Role};

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
                // The election hears of it when it has had the time to read the advertisement itself.
                let text = format!(
                    "the kernel silenced this node at once: {vip} ({mac}) advertises and outranks it"
                );
                self.report(event.group, "demoted", text);
            }
            EventKind::ConflictingOwner => self.conflict(event.group, vip, mac),
            EventKind::ProcessExit => self.processes.ended(event.process()),
            EventKind::Unheard => {
                let text = format!("{mac} does not hear this node and takes over: fenced");
                tracing::error!("{text}");
                self.history.node("unheard", text);
            }
            EventKind::Detour => self.announce_again(event.group, vip, mac),
            EventKind::StaleSender => {
                tracing::debug!(%mac, sender = %vip, "a sender still uses this node");
            }
        }
    }

    /// Somebody else answers or announces for what this node has.
    fn conflict(&mut self, slot: u32, vip: IpAddr, other: Mac) {
        let group = self.groups.iter().find(|group| group.slot == slot);
        let own = group.map_or(Mac::ZERO, |group| match vip {
            IpAddr::V4(_) => group.mac4,
            IpAddr::V6(_) => group.mac6,
        });
        let text = format!("{other} claims the virtual IP {vip}, which this node has with {own}");
        self.report(slot, "conflicting_owner", text);
    }

    /// Somebody has not heard where the group is.
    fn announce_again(&mut self, slot: u32, sender: IpAddr, by: Mac) {
        let now = self.now();
        let Some(group) = self.groups.iter().find(|group| group.slot == slot) else {
            return;
        };
        if group.election.role() == Role::Active {
            tracing::debug!(group = %group.name, %sender, %by, "stale traffic: announcing again");
            self.announcer.hurry(now, slot, group.vips.len());
            self.peers.seek_sender(slot, group.ifindex, sender);
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
