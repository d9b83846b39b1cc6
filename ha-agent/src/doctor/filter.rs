//! Whether the NIC lets through what is sent to virtual MACs and to the groups of solicitations: listed, and
//! probed by having another host send there.

mod probe;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use anyhow::{Context, Result};
use ha_common::{abi::Mac, wire::vrrp};

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{
    admission::MEND,
    config::{AnsweringMac, Group, MacFallback},
    dataplane,
    net::frame::solicited_node_mac,
};

/// An interface, and the MACs beside its own that must reach it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    /// Whether an agent has prepared the interface, so that its filter should be complete.
    prepared: bool,
    macs: Vec<Needed>,
    /// Who was asked to send, if somebody answers at all.
    asked: Option<Asked>,
}

/// A MAC that must reach the interface.
#[derive(Clone, Debug)]
struct Needed {
    mac: Mac,
    /// Whether it is in the list of the filter.
    listed: bool,
    /// Whether this node is Active for it on this interface, so that switches send it here.
    active: bool,
    /// Whether a frame that another host sent there has arrived, if one was asked to.
    arrives: Option<bool>,
}

/// Another host that answers.
#[derive(Clone, Copy, Debug)]
struct Asked {
    host: Ipv4Addr,
    /// Whether it answers to groups of Ethernet too.
    groups: bool,
}

#[derive(Debug)]
pub(super) struct Filter;

impl Check for Filter {
    const NAME: &'static str = "filter";
    const ABOUT: &'static str = "Whether frames to virtual MACs and to the solicited-node groups of IPv6 virtual IPs \
         reach the data path, which NICs filter before. The filter's list is looked at, and a peer, the witness or the \
         gateway is made to send there by an ARP probe in which that MAC asks; what does not arrive is a failure.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        // Without privileges, or an agent so far, nothing can be said of roles.
        let status = dataplane::status_of_pins(&host.config.node.pin_dir).await;
        let groups = status.map(|status| status.groups).unwrap_or_default();
        // What fell back to the interface's MAC needs no other.
        let fallen: Vec<String> = groups
            .iter()
            .filter(|group| group.mac == "interface")
            .map(|group| group.name.clone())
            .collect();
        let active: Vec<_> = groups
            .into_iter()
            .filter(|group| group.role == "active" && group.fenced.is_none())
            .map(|group| (group.name, group.interface))
            .collect();
        let mut seen = Vec::new();
        for served in host.served() {
            let device = served.device;
            let name = &device.name;
            let listed = host.netlink.filters(device.index).await?;
            let needed = needed(host, name, &active, &fallen).into_iter();
            let mut macs: Vec<_> = needed
                .map(|(mac, active)| Needed {
                    mac,
                    listed: listed.contains(&mac),
                    active,
                    arrives: None,
                })
                .collect();
            let probed = probe::all(host, device, &mut macs).await;
            let asked = probed.with_context(|| format!("cannot probe the filter of {name}"))?;
            let elsewhere = elsewhere(host, name, &active);
            let macs_elsewhere = macs.iter_mut().filter(|n| elsewhere.contains(&n.mac));
            // Switches send it to the other NIC of this node, so that nothing is said of this one.
            macs_elsewhere.for_each(|needed| needed.arrives = None);
            let facts = Facts {
                name: name.clone(),
                prepared: host.is_own(device),
                macs,
                asked,
            };
            seen.push((name.clone(), facts));
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            name,
            prepared,
            macs,
            asked,
        } = facts;
        let Some(first) = macs.first() else {
            return vec![Verdict::ok("nothing but the NIC's own MAC is needed")];
        };
        let mut verdicts = Vec::new();
        let unlisted: Vec<_> = macs.iter().filter(|needed| !needed.listed).collect();
        if let Some(missing) = unlisted.first().filter(|_| *prepared) {
            verdicts.push(Verdict::failure(
                format!(
                    "{} of {} MACs are not in the filter, as {}",
                    unlisted.len(),
                    macs.len(),
                    missing.mac
                ),
                "The NIC drops what is sent there: the virtual IPs behind them are not reached. A restart of the agent \
                 puts all of them back.",
                format!("bridge fdb add {} dev {name} self permanent", missing.mac),
            ));
        }
        let Some(asked) = asked else {
            verdicts.push(unprobed(name, first.mac));
            return verdicts;
        };
        // What is not listed cannot be expected to arrive.
        let expected =
            |needed: &&Needed| needed.arrives == Some(false) && (needed.listed || !prepared);
        let lost: Vec<_> = macs.iter().filter(expected).collect();
        if let Some(lost) = lost.first() {
            verdicts.push(judge_lost(facts, lost, *asked));
        }
        let untried = |needed: &&Needed| needed.mac.is_multicast() && !asked.groups;
        if let Some(untried) = macs.iter().find(untried) {
            verdicts.push(Verdict::warning(
                format!(
                    "groups are not probed: {} does not answer to them",
                    asked.host
                ),
                "Whether the NIC lets through solicitations for IPv6 virtual IPs is not known.",
                watch(name, untried.mac),
            ));
        }
        if verdicts.is_empty() {
            let arrived = macs.iter().filter(|needed| needed.arrives == Some(true));
            verdicts.push(Verdict::ok(format!(
                "{} MACs; {} of them probed by way of {}",
                macs.len(),
                arrived.count(),
                asked.host
            )));
        }
        verdicts
    }
}

/// The MACs, and for which of them this node is Active.
fn needed(
    host: &Host,
    name: &str,
    active: &[(String, String)],
    fallen: &[String],
) -> BTreeMap<Mac, bool> {
    let mut macs = BTreeMap::new();
    for group in host.groups_on(name) {
        let mut active = active.iter();
        let is_active = active.any(|(active, on)| *active == group.name && on == name);
        let may_fall = group.mac_fallback == MacFallback::Interface;
        if !(may_fall && fallen.contains(&group.name)) {
            macs.extend(virtual_macs(group).into_iter().map(|mac| (mac, is_active)));
        }
        for vip in &group.vips {
            if let std::net::IpAddr::V6(vip) = vip {
                macs.insert(solicited_node_mac(*vip), is_active);
            }
        }
    }
    macs
}

/// The virtual MACs of groups that this node serves on another interface.
fn elsewhere(host: &Host, name: &str, active: &[(String, String)]) -> BTreeSet<Mac> {
    let is_elsewhere = |group: &&Group| {
        let mut active = active.iter();
        active.any(|(active, on)| *active == group.name && on != name)
    };
    let groups = host.groups_on(name).filter(is_elsewhere);
    groups.flat_map(virtual_macs).collect()
}

fn virtual_macs(group: &Group) -> Vec<Mac> {
    match group.mac {
        AnsweringMac::Virtual(vrid) => vec![vrrp::mac4(vrid.get()), vrrp::mac6(vrid.get())],
        AnsweringMac::Interface => Vec::new(),
    }
}

fn judge_lost(facts: &Facts, lost: &Needed, asked: Asked) -> Verdict {
    let Facts { name, prepared, .. } = facts;
    let seen = format!("what {} sends to {} does not arrive", asked.host, lost.mac);
    if !prepared {
        return Verdict::warning(
            seen,
            "The agent opens the filter at its start. Nothing is proved yet.",
            "start the agent, then run `ha-agent doctor` again",
        );
    }
    let is_group = lost.mac.is_multicast();
    if !is_group && !lost.active {
        return Verdict::warning(
            seen,
            "This node is not Active for it, so a switch may have sent it to the node that is. Nothing is proved.",
            "run `ha-agent doctor` on the Active node",
        );
    }
    Verdict::failure(
        seen,
        "The NIC, or the hypervisor or switch before it, drops it: the virtual IPs behind it are not reached.",
        format!(
            "ip link set dev {name} promisc on; {MEND}{}, or set `mac = \"interface\"`",
            if is_group { ", and multicast" } else { "" }
        ),
    )
}

fn unprobed(name: &str, mac: Mac) -> Verdict {
    Verdict::warning(
        "not probed: no host in [[peer]], [witness], `peers` or the routes answers ARP over IPv4 here",
        "Whether the NIC lets through what is sent to virtual MACs and solicited-node groups is not known.",
        watch(name, mac),
    )
}

/// Without `-p` the NIC would let everything through.
fn watch(name: &str, mac: Mac) -> String {
    format!("tcpdump -pni {name} ether dst {mac}, while another host pings the virtual IP")
}

#[cfg(test)]
mod tests;
