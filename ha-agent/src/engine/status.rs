//! The status as the control socket gives it.

use std::{net::Ipv6Addr, time::Duration};

use ha_common::{
    abi::{Role, SCHEMA, Stale, StaleKey},
    fence::{Standing, standing},
    lease::{LeaseState, LeaseWord},
};
use ha_core::{election::Election as _, track::Fitness};

use nix::time::{ClockId, clock_gettime};

use super::{
    Engine,
    fitness::word,
    group::{Group, Vrrp},
    history::seconds,
    port::Port,
};
use crate::{
    api::{Refused, types},
    config::Mode,
    net::Link,
};

impl Engine {
    /// Everything there is to see.
    pub(super) async fn status(&mut self) -> Result<types::Status, Refused> {
        self.look_at_links().await;
        let failed = |error: anyhow::Error| Refused::Failed(format!("{error:#}"));
        let node = self.dataplane.switch.node().map_err(failed)?;
        let reasons = self.dataplane.reasons().map_err(failed)?;
        let groups = self
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| self.group_status(index, group, node.lease))
            .collect::<anyhow::Result<_>>()
            .map_err(failed)?;
        Ok(types::Status {
            node: self.config.node.name.clone(),
            agent: Some(types::Agent {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                pid: std::process::id(),
                uptime_seconds: self.uptime().as_secs(),
            }),
            configuration: Some(self.reloads.status()),
            duty: self.duty().name().to_owned(),
            local_clients: self.reach.text(),
            schema: SCHEMA,
            pin_dir: self.dataplane.pin_dir().display().to_string(),
            lease: types::Lease::of(&node),
            interfaces: self.ports.iter().map(interface).collect(),
            groups,
            guests: self.guests.status(),
            peers: self.peers_status(),
            bfd: self.bfd_status(),
            witness: self.witness_status(),
            checks: self.checks_status(),
            reasons: types::Reason::list(&reasons),
            events: self.history.to_vec(),
        })
    }

    fn group_status(
        &self,
        index: usize,
        group: &Group,
        lease: LeaseWord,
    ) -> anyhow::Result<types::Group> {
        let words = &self.dataplane.groups;
        let (word, demoted) = (words.word(group.slot), words.demotion(group.slot));
        let vrrp = group.election.vrrp();
        Ok(types::Group {
            name: group.name.clone(),
            id: group.slot,
            role: Role::from_u8(word.role).name().to_owned(),
            fenced: match standing(word, demoted, lease) {
                Standing::Active | Standing::Claiming | Standing::Backup => None,
                Standing::Fenced(fence) => Some(fence.name().to_owned()),
            },
            active: group.active,
            epoch: word.epoch,
            election: group.election.name().to_owned(),
            version: vrrp.map(|vrrp| vrrp.machine.config().version.number()),
            peers: vrrp.map_or_else(Vec::new, Vrrp::peers),
            vrid: vrrp.map(|vrrp| vrrp.machine.config().vrid.get()),
            priority: vrrp.map(|_| group.election.priority()),
            configured_priority: vrrp.map(|_| group.base),
            hands_over: vrrp.is_some_and(|vrrp| vrrp.machine.hands_over()),
            eligible: matches!(group.fitness, Fitness::Eligible { .. }),
            interface: self.ports[group.port].link.name.clone(),
            stands_in: self.stands_in(index),
            ways: self.ways_status(index),
            mac4: group.mac4.to_string(),
            mac6: group.mac6.to_string(),
            mac: types::whose_mac(group.flags).to_owned(),
            mac_note: group.answers.note().map(str::to_owned),
            vips: group.vips.iter().flatten().count(),
            cause: group.changed.map(|change| change.cause.to_string()),
            since: group.changed.map(|change| seconds(change.at)),
            traffic: types::Traffic::list(&self.dataplane.traffic(group.slot)?),
            stale_senders: types::StaleSender::list(&self.dataplane.stale(group.slot)?),
        })
    }

    fn checks_status(&self) -> Vec<types::Check> {
        let groups = |check| {
            let concerned = |group: &&Group| group.tracks.iter().any(|t| t.check == check);
            let names = self.groups.iter().filter(concerned);
            names.map(|group| group.name.clone()).collect()
        };
        let entries = self.health.entries().iter().enumerate();
        entries
            .map(|(check, entry)| types::Check {
                name: entry.check.name.clone(),
                kind: entry.check.kind.name().to_owned(),
                state: word(entry.state()),
                since: seconds(entry.since),
                note: entry.note.clone(),
                groups: groups(check),
            })
            .collect()
    }

    async fn look_at_links(&mut self) {
        for port in self.ports.iter_mut().filter(|port| !port.is_gone) {
            match self.netlink.link_at(port.link.index).await {
                Ok(Some(link)) => {
                    // It is known by the name that it has in the configuration.
                    let name = std::mem::take(&mut port.link.name);
                    port.link = Link { name, ..link };
                }
                Ok(None) => port.link.up = false,
                Err(error) => tracing::warn!("{error}"),
            }
        }
    }
}

/// How the program is attached, as the kernel says.
fn mode(port: &Port) -> &'static str {
    match port.link.xdp {
        None => "none",
        Some(xdp) if xdp.generic => Mode::Generic.name(),
        Some(_) => Mode::Native.name(),
    }
}

fn interface(port: &Port) -> types::Interface {
    types::Interface {
        name: port.link.name.clone(),
        index: port.link.index,
        mode: mode(port).to_owned(),
        mac: port.link.mac.to_string(),
        up: port.link.up,
        gone: port.is_gone,
    }
}

impl types::Lease {
    /// The lease as the kernel has it.
    #[must_use]
    pub fn of(node: &ha_common::abi::Node) -> Self {
        Self {
            state: LeaseState::from_u8(node.lease.state).name().to_owned(),
            grants: node.lease.grants,
            length_ms: Duration::from_nanos(node.length_ns).as_secs_f64() * 1e3,
            renewals: node.renewals,
            lapses: node.lapses,
        }
    }
}

impl types::Reason {
    /// The reasons that have occurred.
    #[must_use]
    pub fn list(counts: &[(ha_common::reason::Reason, ha_common::abi::Traffic)]) -> Vec<Self> {
        let occurred = counts.iter().filter(|(_, traffic)| traffic.packets > 0);
        occurred
            .map(|(reason, traffic)| Self {
                reason: reason.label().to_owned(),
                verdict: reason.verdict().name().to_owned(),
                packets: traffic.packets,
                bytes: traffic.bytes,
            })
            .collect()
    }
}

impl types::StaleSender {
    /// The senders as they are shown.
    #[must_use]
    pub fn list(senders: &[(StaleKey, Stale)]) -> Vec<Self> {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
        senders
            .iter()
            .map(|(key, stale)| Self {
                address: Ipv6Addr::from(key.addr).to_canonical(),
                mac: key.mac.to_string(),
                packets: stale.frames,
                seconds_ago: now
                    .saturating_sub(Duration::from_nanos(stale.last_ns))
                    .as_secs_f64(),
            })
            .collect()
    }
}

impl types::Traffic {
    /// The verdicts that have occurred.
    #[must_use]
    pub fn list(counts: &[(ha_common::reason::Verdict, ha_common::abi::Traffic)]) -> Vec<Self> {
        let occurred = counts.iter().filter(|(_, traffic)| traffic.packets > 0);
        occurred
            .map(|(verdict, traffic)| Self {
                verdict: verdict.name().to_owned(),
                packets: traffic.packets,
                bytes: traffic.bytes,
            })
            .collect()
    }
}
