//! What may be there only once: names of groups, virtual IPs, virtual router ids.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use ha_common::abi::{MAX_GROUPS, MAX_VIPS};

use super::{
    super::{error::Report, file},
    group::Draft,
};

pub(super) fn check(files: &[file::Group], groups: &[Option<Draft>], report: &mut Report<'_>) {
    names(files, report);
    let pairs: Vec<_> = files
        .iter()
        .zip(groups)
        .filter_map(|(file, group)| Some((file, group.as_ref()?)))
        .collect();
    vips(&pairs, report);
    vrids(&pairs, report);
}

fn names(files: &[file::Group], report: &mut Report<'_>) {
    let mut lines = HashMap::new();
    for file in files {
        let line = report.line(file.name.span());
        if let Some(first) = lines.insert(file.name.get_ref(), line) {
            report.add(
                file.name.span(),
                "group.name",
                format!("\"{}\" is already in line {first}", file.name.get_ref()),
                "give each group a name of its own",
            );
        }
    }
    if let Some(extra) = files.get(MAX_GROUPS as usize) {
        report.add(
            extra.name.span(),
            "group",
            format!("a node holds at most {MAX_GROUPS} groups"),
            "put virtual IPs that move together into one group",
        );
    }
}

/// An address is looked up by itself and its VLAN, so no two groups can share it.
fn vips(pairs: &[(&file::Group, &Draft)], report: &mut Report<'_>) {
    let mut owners = HashMap::new();
    let mut counts = [0_usize; 2];
    for (file, draft) in pairs {
        let name = file.name.get_ref();
        let mut reported = false;
        for vip in &draft.group.vips {
            counts[usize::from(vip.is_ipv6())] += 1;
            let other = match owners.entry((draft.group.vlan, *vip)) {
                Entry::Vacant(free) => {
                    free.insert(name);
                    continue;
                }
                Entry::Occupied(taken) => *taken.get(),
            };
            // One sentence is enough for two ranges that overlap.
            if reported || other == name {
                continue;
            }
            reported = true;
            let (what, mend) = duplicate(*vip, other, draft);
            let key = format!("group.{name}.vips");
            report.add(file.vips.span(), key, what, mend);
        }
    }
    for (count, family) in counts.into_iter().zip(["IPv4", "IPv6"]) {
        if count > MAX_VIPS as usize {
            report.add(
                0..0,
                "group",
                format!("{count} {family} addresses are more than the {MAX_VIPS} a node holds"),
                "remove some",
            );
        }
    }
}

fn duplicate(vip: IpAddr, other: &str, draft: &Draft) -> (String, &'static str) {
    if draft.implied.map(IpAddr::V6) == Some(vip) {
        return (
            format!(
                "{vip}, which VRRP over IPv6 needs and which follows from the vrid, \
                 is already in the group \"{other}\""
            ),
            "choose another vrid, or list a link-local address of your own",
        );
    }
    (
        format!("{vip} is already in the group \"{other}\""),
        "remove it from one of them",
    )
}

/// On one network a virtual router id stands for one virtual router in each family, and for its MAC.
fn vrids(pairs: &[(&file::Group, &Draft)], report: &mut Report<'_>) {
    let mut owners = HashMap::new();
    for (file, draft) in pairs {
        let (Some(vrid), Some(written)) =
            (draft.kind.vrid(), file.election.get_ref().vrid.as_ref())
        else {
            continue;
        };
        let group = &draft.group;
        let families = [IpAddr::is_ipv4, IpAddr::is_ipv6].map(|is| group.vips.iter().any(is));
        for (has, family) in families.into_iter().zip(["IPv4", "IPv6"]) {
            if !has {
                continue;
            }
            // Wherever it may be served: two that come to stand on one NIC would be one.
            let networks = group
                .interfaces()
                .map(|interface| (interface, group.vlan, family, vrid));
            let others: Vec<_> = networks
                .filter_map(|network| owners.insert(network, file.name.get_ref()))
                .collect();
            if let Some(other) = others.first() {
                report.add(
                    written.span(),
                    format!("group.{}.election.vrid", file.name.get_ref()),
                    format!("{vrid} is already that of the group \"{other}\" on this network"),
                    "choose another one, the same on all nodes of the group",
                );
                break;
            }
        }
    }
}
