//! The test programs of the workspace, and which of them need root.

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::workspace;

/// Frames through the program in the kernel.
pub(crate) const FIXTURES: [&str; 1] = ["fixtures"];
/// Network namespaces.
pub(crate) const LAB: [&str; 17] = [
    "bfd_echo",
    "conflict",
    "demotion",
    "egress",
    "lab",
    "liveness",
    "local_clients",
    "many_groups",
    "pins",
    "recovery",
    "reload",
    "restart",
    "scenarios",
    "silence",
    "switchover",
    "tracking",
    "vanished",
];

/// Tests that are left out where all parts are run, by parts of their names: each looks closer at what another one shows.
pub(crate) const LONG: [&str; 31] = [
    "a_guest_that_comes_back",
    "a_killed_agent_leaves_one_owner",
    "a_ping_target_that_is_down_itself",
    "a_route_can_have",
    "a_signal_does_the_same",
    "a_start_that_is_killed_anywhere",
    "after_a_reload_a_crash",
    "all_groups_stay",
    "an_active_node_that_is_not_heard",
    "an_interface_that_is_exchanged_at_once",
    "by_advertisements_a_hanging_agent",
    "by_advertisements_a_killed_agent",
    "by_advertisements_a_restart",
    "is_followed_by_the_other_build",
    "it_can_be_turned_off",
    "macvtap_and_a_veth",
    "nobody_notices_a_change_of_schema",
    "nobody_notices_an_upgrade",
    "nobody_notices_that_the_agent_is_started_again",
    "peers_part_without",
    "sessions_and_peers_that_stay",
    "so_does_the_loss_of_the_node",
    "so_it_is_after_a_split",
    "so_it_is_with_the_interface_s_mac",
    "ten_thousand_addresses_come_and_go",
    "ten_thousand_addresses_move",
    "the_service_outlives",
    "two_reloads_follow",
    "what_was_added_is_taken_back",
    "without_its_advertisements",
    "without_targets_the_link_alone",
];

/// The same, of which no part minds that others run at the same time.
pub(crate) const PATIENT: [&str; 3] = ["admission", "faults", "sources"];

/// The same, with guests behind the nodes.
pub(crate) const GUESTS: [&str; 1] = ["guests"];

/// The same, each host wrong in another way.
pub(crate) const DOCTOR: &str = "doctor";

/// The agent in virtual machines.
pub(crate) const VM: [&str; 1] = ["vm"];

/// Network namespaces, beside routers of other makers.
pub(crate) const INTEROP_VRRP: &str = "interop_vrrp";
/// The same, beside FRR's BFD.
pub(crate) const INTEROP_BFD: &str = "interop_bfd";

/// All others: a new one belongs here unless it is named above.
///
/// # Errors
/// If cargo cannot say what there is.
pub(crate) fn without_root() -> Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .current_dir(workspace::root())
        .no_deps()
        .exec()
        .context("cannot list the test programs of the workspace")?;
    Ok(all(&metadata)
        .into_iter()
        .filter(|name| !with_root().any(|other| other == name))
        .collect())
}

fn with_root() -> impl Iterator<Item = &'static str> {
    FIXTURES
        .into_iter()
        .chain(LAB)
        .chain(PATIENT)
        .chain(GUESTS)
        .chain(VM)
        .chain([DOCTOR, INTEROP_VRRP, INTEROP_BFD])
}

fn all(metadata: &Metadata) -> Vec<String> {
    metadata
        .workspace_packages()
        .into_iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_test())
        .map(|target| target.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_need_root_exist_and_are_left_out() {
        let metadata = MetadataCommand::new()
            .current_dir(workspace::root())
            .no_deps()
            .exec()
            .unwrap();
        let all = all(&metadata);
        let without_root = without_root().unwrap();
        for name in with_root() {
            assert!(all.iter().any(|found| found == name), "{name} in {all:?}");
            assert!(!without_root.iter().any(|found| found == name), "{name}");
        }
        assert!(without_root.len() + with_root().count() == all.len());
    }
}
