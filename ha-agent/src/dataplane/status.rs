//! What can be seen without an agent: what is pinned.

use std::{net::IpAddr, path::Path};

use anyhow::Result;
use ha_common::{
    abi::{GROUP_USED, Group, Role, RoleWord, SCHEMA},
    fence::{Standing, standing},
    lease::LeaseWord,
};

use super::{Maps, PeerMaps, PinDir};
use crate::{
    api::types,
    config::Mode,
    net::{Link, Netlink},
};

/// The status from what is pinned below `pin_dir` alone.
///
/// # Errors
/// If nothing is pinned there, or it cannot be read.
pub async fn status_of_pins(pin_dir: &Path) -> Result<types::Status> {
    let pins = PinDir::new(pin_dir);
    let maps = Maps::open(&pins)?;
    let interfaces = interfaces(&pins).await?;
    let vips = maps.tables.vips.read()?;
    let node = maps.node.read()?;
    let groups = (0..)
        .zip(maps.groups.groups())
        .filter(|(_, group)| group.flags & GROUP_USED != 0)
        .map(|(slot, found)| {
            let served = interfaces.iter().find(|i| i.index == found.ifindex);
            Ok(types::Group {
                interface: served.map_or_else(String::new, |i| i.name.clone()),
                vips: vips.values().filter(|vip| vip.group == slot).count(),
                active: active(&maps.tables.peers, found.word)?,
                traffic: types::Traffic::list(&maps.tables.stats.traffic(slot)?),
                stale_senders: types::StaleSender::list(&maps.tables.stale.of(slot)?),
                ..group(slot, &found, node.lease)
            })
        })
        .collect::<Result<_>>()?;
    Ok(types::Status {
        node: String::new(),
        agent: None,
        configuration: None,
        duty: String::new(),
        local_clients: String::new(),
        schema: SCHEMA,
        pin_dir: pins.path().display().to_string(),
        lease: types::Lease::of(&node),
        interfaces,
        groups,
        guests: Vec::new(),
        peers: Vec::new(),
        bfd: Vec::new(),
        witness: None,
        checks: Vec::new(),
        reasons: types::Reason::list(&maps.tables.stats.reasons()?),
        events: Vec::new(),
    })
}

async fn interfaces(pins: &PinDir) -> Result<Vec<types::Interface>> {
    let netlink = Netlink::connect()?;
    let mut interfaces = Vec::new();
    for index in pins.links()? {
        // Another network namespace has other interfaces under the same indices.
        let link = netlink.link_at(index).await?;
        interfaces.extend(link.filter(|link| link.xdp.is_some()).map(interface));
    }
    Ok(interfaces)
}

fn interface(link: Link) -> types::Interface {
    let mode = match link.xdp {
        Some(xdp) if xdp.generic => Mode::Generic,
        Some(_) | None => Mode::Native,
    };
    types::Interface {
        name: link.name,
        index: link.index,
        mode: mode.name().to_owned(),
        mac: link.mac.to_string(),
        up: link.up,
        gone: false,
    }
}

/// The part of a group's status that is in its slot.
fn group(slot: u32, group: &Group, lease: LeaseWord) -> types::Group {
    let fenced = match standing(group.word, group.demoted, lease) {
        Standing::Fenced(fence) => Some(fence.name().to_owned()),
        Standing::Active | Standing::Claiming | Standing::Backup => None,
    };
    let end = group.name.iter().position(|octet| *octet == 0);
    let name = &group.name[..end.unwrap_or(group.name.len())];
    types::Group {
        name: String::from_utf8_lossy(name).into_owned(),
        id: slot,
        role: Role::from_u8(group.word.role).name().to_owned(),
        fenced,
        active: None,
        epoch: group.word.epoch,
        election: String::new(),
        version: None,
        configured_priority: None,
        eligible: true,
        hands_over: false,
        peers: Vec::new(),
        vrid: (group.vrid != 0).then_some(group.vrid),
        priority: (group.priority != 0).then_some(group.priority),
        interface: String::new(),
        stands_in: None,
        ways: Vec::new(),
        mac4: group.mac4.to_string(),
        mac6: group.mac6.to_string(),
        mac: types::whose_mac(group.flags).to_owned(),
        mac_note: None,
        vips: 0,
        cause: None,
        since: None,
        traffic: Vec::new(),
        stale_senders: Vec::new(),
    }
}

fn active(peers: &PeerMaps, word: RoleWord) -> Result<Option<IpAddr>> {
    match word.peer {
        // The word of an Active node names its heir.
        _ if Role::from_u8(word.role) == Role::Active => Ok(None),
        0 => Ok(None),
        slot => Ok(Some(IpAddr::from(peers.get(slot)?.addr).to_canonical())),
    }
}
