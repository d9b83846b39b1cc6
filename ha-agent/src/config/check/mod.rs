//! From what is written to what is meant. Each check reports all faults that it finds.

mod announce;
mod bfd;
mod checks;
mod election;
mod group;
mod guest;
mod lease;
mod liveness;
mod local;
mod mac;
mod node;
mod peers;
mod sync;
mod track;
mod unique;
mod witness;

use std::collections::HashMap;

use toml::Spanned;

pub use self::lease::longest as longest_lease;
use super::{Config, Interface, Mode, VlanOffload, error::Report, file, value::word};

/// Longest name of an interface, octets (`IFNAMSIZ`, `include/uapi/linux/if.h`).
const INTERFACE_NAME: usize = 15;

/// The configuration, if nothing that it is made of is at fault.
pub(super) fn config(file: &file::File, report: &mut Report<'_>) -> Option<Config> {
    let interfaces = interfaces(&file.interface, report);
    if file.interface.is_empty() {
        report.add(
            0..0,
            "interface",
            "no interface is named",
            "add [[interface]] with the name of the NIC",
        );
    }
    // One without groups is a witness of others.
    if file.group.is_empty() && file.peer.is_empty() {
        report.add(
            0..0,
            "group",
            "there is no group of virtual IPs",
            "add [[group]] with name, interface, vips and election; or [[peer]], if this node is only a \
             witness for others",
        );
    }
    let groups: Vec<_> = file
        .group
        .iter()
        .map(|group| group::group(group, file, report))
        .collect();
    unique::check(&file.group, &groups, report);
    local::no_vips(&file.group, &groups, report);
    let peers = liveness::peers(file, report);
    let witness = witness::witness(file, report);
    let bfd = bfd::sessions(file, &groups, report);
    let checks = checks::checks(file, report);
    track::unused(file, report);
    let syncs = sync::syncs(&file.sync, &file.group, &groups, report);
    let rivals = file.peer.len() - usize::from(witness::is_agent(file));
    let lease = lease::lease(file, &groups, peers.as_deref(), report);
    let node = node::node(&file.node, lease, report);
    let control = node::control(&file.control, report);
    let log = node::log(&file.log, report);
    let announce = announce::announce(&file.announce, report);
    let groups: Option<Vec<_>> = groups.into_iter().collect();
    let groups = groups?
        .into_iter()
        .map(|group| group.finish(lease, rivals == 1))
        .collect();
    Some(Config {
        node: node?,
        control: control?,
        log: log?,
        announce: announce?,
        interfaces: interfaces?,
        peers: peers?,
        witness: witness?,
        bfd: bfd?,
        checks: checks?,
        groups,
        syncs: syncs?,
    })
}

fn interfaces(list: &[file::Interface], report: &mut Report<'_>) -> Option<Vec<Interface>> {
    let mut lines = HashMap::new();
    let checked: Vec<_> = list
        .iter()
        .map(|interface| {
            let line = report.line(interface.name.span());
            if let Some(first) = lines.insert(interface.name.get_ref(), line) {
                report.add(
                    interface.name.span(),
                    "interface.name",
                    format!(
                        "\"{}\" is already in line {first}",
                        interface.name.get_ref()
                    ),
                    "name each interface once",
                );
            }
            self::interface(interface, report)
        })
        .collect();
    checked.into_iter().collect()
}

fn interface(interface: &file::Interface, report: &mut Report<'_>) -> Option<Interface> {
    let name = interface.name.get_ref();
    let fits = (1..=INTERFACE_NAME).contains(&name.len());
    if !fits || name.contains(['/', ' ', '\t']) {
        report.add(
            interface.name.span(),
            "interface.name",
            format!("\"{name}\" cannot be the name of an interface"),
            format!(
                "write 1 to {INTERFACE_NAME} characters without blank or slash, as `ip link` shows"
            ),
        );
        return None;
    }
    let modes = [("native", Mode::Native), ("generic", Mode::Generic)];
    let offloads = [("keep", VlanOffload::Keep), ("off", VlanOffload::Off)];
    let key = |key: &str| format!("interface.{name}.{key}");
    Some(Interface {
        name: name.clone(),
        mode: optional(interface.mode.as_ref(), Mode::default(), |mode| {
            word(report, &key("mode"), mode, &modes)
        })?,
        vlan_offload: optional(
            interface.vlan_offload.as_ref(),
            VlanOffload::default(),
            |offload| word(report, &key("vlan_offload"), offload, &offloads),
        )?,
    })
}

/// The default where nothing is written, else what `check` makes of it.
fn optional<T, V>(
    value: Option<&Spanned<V>>,
    default: T,
    check: impl FnOnce(&Spanned<V>) -> Option<T>,
) -> Option<T> {
    value.map_or(Some(default), check)
}
