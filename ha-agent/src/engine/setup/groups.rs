//! The groups of a configuration, as they begin.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Result, bail};
use ha_common::{
    abi::{GROUP_ROUTER, GROUP_STALE_DROP, GROUP_VIRTUAL_MAC, Vlan},
    wire,
};
use ha_core::{
    manual::Manual,
    track::Fitness,
    vrrp::{self, Machine, Primary, VrrpConfig},
};

use super::{
    super::{
        answers::Answers,
        fitness::tracks,
        group::{Group, Kind, Vrrp},
        port::Ground,
    },
    ports::primary,
};
use crate::config::{self, AnsweringMac, Config, Election, Stale, track::Check};

/// How long it takes to tell a lost peer that it is: the way there, and the data path.
const LOSS_GRACE: Duration = Duration::from_millis(1);

/// The groups of the configuration, whose elections have not begun. `places` are the interfaces on which they are to
/// begin, if that is not the first one.
pub(in crate::engine) fn groups(
    config: &Config,
    grounds: &[Ground],
    checks: &[Check],
    places: &[Option<String>],
) -> Result<Vec<Group>> {
    let about = About {
        lease: config.node.lease,
        is_pair: config.rivals() == 1,
        needs_witness: config.witness.is_some(),
    };
    let sync_of = |index| {
        let mut syncs = config.syncs.iter();
        syncs.position(|sync| sync.groups.contains(&index))
    };
    let groups = config.groups.iter().enumerate();
    groups
        .map(|(index, group)| {
            let on = places.get(index).and_then(Option::as_deref);
            let on = on.filter(|on| group.interfaces().any(|name| name == *on));
            let on = on.unwrap_or(&group.interface);
            prepare_group(group, grounds, checks, sync_of(index), about, on)
        })
        .collect()
}

/// By what an advertisement is known to be for a group.
pub(in crate::engine) fn routers(groups: &[Group]) -> HashMap<(usize, Vlan, u8), usize> {
    let routers = groups.iter().enumerate().filter_map(|(index, group)| {
        let vrid = group.election.vrrp()?.machine.config().vrid.get();
        Some(((group.port, group.vlan, vrid), index))
    });
    routers.collect()
}

/// The peers of a group, of which this node must not be one.
fn foreign_peers(group: &config::Group, peers: &vrrp::Peers, own: Primary) -> Result<vrrp::Peers> {
    if let vrrp::Peers::Unicast(list) = peers
        && let Some(own) = list.iter().find(|address| own.contains(**address))
    {
        bail!(
            "group {}: the peer {own} is this node's own address: remove it from `peers`",
            group.name
        );
    }
    Ok(peers.clone())
}

/// What of the node concerns all of its groups.
#[derive(Clone, Copy, Debug)]
struct About {
    lease: Duration,
    is_pair: bool,
    needs_witness: bool,
}

fn prepare_group(
    group: &config::Group,
    grounds: &[Ground],
    checks: &[Check],
    sync: Option<usize>,
    about: About,
    on: &str,
) -> Result<Group> {
    let find = |name: &str| {
        let place = grounds.iter().position(|g| g.link.name == name);
        place.context("a group names an unknown interface")
    };
    let port = find(on)?;
    let ways = group.interfaces().map(find).collect::<Result<Vec<_>>>()?;
    let ground = &grounds[port];
    let (link, nic, own) = (&ground.link, ground.home.mac, ground.addresses);
    let (mac4, mac6, virtual_flag) = match group.mac {
        AnsweringMac::Virtual(vrid) => (
            wire::vrrp::mac4(vrid.get()),
            wire::vrrp::mac6(vrid.get()),
            GROUP_VIRTUAL_MAC,
        ),
        AnsweringMac::Interface => (nic, nic, 0),
    };
    let stale = match group.stale {
        Stale::Forward => 0,
        Stale::Drop => GROUP_STALE_DROP,
    };
    let base = match &group.election {
        Election::Vrrp(settings) => settings.priority.get(),
        Election::Manual => 0,
    };
    let election = match (&group.election, primary(group, on, own)?) {
        (Election::Vrrp(settings), Some(primary)) => Kind::Vrrp(Box::new(Vrrp {
            machine: Machine::new(VrrpConfig {
                version: settings.version,
                vrid: settings.vrid,
                priority: settings.priority,
                advert_interval: settings.advert_interval,
                preempt: settings.preempt,
                preempt_delay: settings.preempt_delay,
                startup_delay: settings.startup_delay,
                primary,
                peers: foreign_peers(group, &settings.peers, primary)?,
                settle: settings.settle,
                yield_grace: settings.yield_grace,
                contention: settings.contention,
                loss_grace: LOSS_GRACE,
                silent_grace: about
                    .lease
                    .saturating_sub(config::longest_lease(settings.advert_interval.duration())),
                needs_witness: about.needs_witness,
                is_pair: about.is_pair,
                is_synced: sync.is_some(),
            }),
            checksum: settings.checksum,
        })),
        (Election::Vrrp(_) | Election::Manual, _) => Kind::Manual(Manual::new()),
    };
    Ok(Group {
        name: group.name.clone(),
        slot: 0,
        port,
        cut: vec![false; ways.len()],
        ways,
        returns_after: group.local.as_ref().and_then(|local| local.returns_after),
        returns_at: None,
        ifindex: link.index,
        vlan: group.vlan,
        mac4,
        mac6,
        answers: Answers::AsConfigured,
        flags: virtual_flag | stale | if group.router { GROUP_ROUTER } else { 0 },
        router: group.router,
        vips: group.vips.iter().copied().map(Some).collect(),
        delivery: group.delivery.clone(),
        base,
        tracks: tracks(group, checks),
        fitness: Fitness::Eligible { priority: base },
        sync,
        election,
        active: None,
        changed: None,
    })
}
