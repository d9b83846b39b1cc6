//! The agent under each failure: what the demo shows, as tests.
//!
//! They need the built agent and root. `cargo xtask test` sees to both.

use std::sync::{Mutex, PoisonError};

use ha_lab::{
    cluster::System,
    scenario::{self, Outcome},
    under_test,
};

/// Plays a scenario, and fails if a promise was broken: twice, as a machine that stands still for three probes is not to
/// be told from one that is dead. That two nodes answered, or one that may not, is never the machine's doing.
fn play(name: &str) -> Outcome {
    // Two labs at a time would take each other's processor time.
    static LAB: Mutex<()> = Mutex::new(());
    let _alone = LAB.lock().unwrap_or_else(PoisonError::into_inner);

    let outcome = play_once(name);
    if outcome.broken.is_empty() {
        return outcome;
    }
    println!("{name}: {}; once more", outcome.broken.join("; "));
    let outcome = play_once(name);
    let Outcome {
        broken, evidence, ..
    } = &outcome;
    assert!(
        broken.is_empty(),
        "{name}: {}; logs and captures: {evidence:?}",
        broken.join("; ")
    );
    outcome
}

fn play_once(name: &str) -> Outcome {
    let scenario = scenario::find(name).expect("the scenario exists");
    let system = System::HaAgent(under_test::agent());
    let outcome = scenario
        .run(&system, &mut |doing| println!("{name}: {doing}"))
        .unwrap_or_else(|error| panic!("{error:#}"));
    let Outcome {
        report, evidence, ..
    } = &outcome;
    println!("{name}: {report:#?}");
    assert_eq!(report.dual_answers, 0, "{name}: {evidence:?}");
    assert_eq!(outcome.backup_frames, Some(0), "{name}: {evidence:?}");
    outcome
}

#[test]
fn quiet_loses_nothing() {
    let Outcome {
        report, account, ..
    } = play("quiet");
    assert_eq!((report.probes_lost, account.role_changes), (0, 0));
    assert_eq!(report.takeover_ms, None);
    for track in &report.by_probe {
        assert!(track.probes_sent > 2_000, "{track:?}");
    }
}

#[test]
fn a_planned_move_loses_next_to_nothing() {
    let Outcome {
        report, account, ..
    } = play("promote");
    assert!(report.probes_lost <= 3, "{}", report.probes_lost);
    // One node ceases, the other begins.
    assert_eq!(account.role_changes, 2);
    assert!(report.takeover_ms.is_some());
}

#[test]
fn a_switchover_loses_nothing() {
    for name in ["switchover", "switchover-deaf-client", "drain"] {
        let report = play(name).report;
        assert_eq!(report.probes_lost, 0, "{name}");
        assert!(report.takeover_ms.is_some(), "{name}");
    }
}

#[test]
fn a_dead_node_is_replaced_within_20_ms() {
    let Outcome {
        report, account, ..
    } = play("power-off");
    assert!(report.outage_ms <= 20.0, "{} ms", report.outage_ms);
    // One node begins. The other, whose carrier is gone, ceases.
    assert_eq!(account.role_changes, 2);
}

#[test]
fn a_killed_agent_is_replaced_when_its_lease_ends() {
    let report = play("agent-killed").report;
    assert!(report.outage_ms <= 20.0, "{} ms", report.outage_ms);
    let takeover = report.takeover_ms.expect("the other node takes over");
    assert!(takeover >= 100.0, "it served for {takeover} ms only");
}

#[test]
fn a_hanging_agent_is_replaced_and_does_not_come_back_as_a_second_owner() {
    play_hanging("agent-stopped", 20.0);
}

#[test]
fn by_advertisements_a_hanging_agent_is_replaced_in_the_same_way() {
    play_hanging("agent-stopped-adverts", 400.0);
}

fn play_hanging(name: &str, limit_ms: f64) {
    let outcome = play(name);
    let outage = outcome.report.outage_ms;
    assert!(outage <= limit_ms, "{name}: {outage} ms");
    // In the end the preferred node answers again, alone.
    let last = outcome
        .timeline
        .columns
        .iter()
        .rev()
        .nth(2)
        .expect("there was a measurement");
    assert_eq!(last.by_node[0], last.total(), "{name}: {last:?}");
}

#[test]
fn a_dead_application_is_replaced_within_10_ms() {
    let report = play("app-killed").report;
    assert!(report.outage_ms <= 10.0, "{} ms", report.outage_ms);
}

#[test]
fn a_lost_link_is_made_good_for_by_the_node_s_second_nic() {
    let Outcome {
        report, account, ..
    } = play("local-recovery");
    assert!(report.outage_ms <= 20.0, "{} ms", report.outage_ms);
    assert_eq!((report.takeover_ms, account.role_changes), (None, 0));
}

/// Plays scenarios of which neither a client nor a peer may notice anything.
fn play_unnoticed(names: &[&str]) {
    for name in names {
        let Outcome {
            report, account, ..
        } = play(name);
        let cost = (report.probes_lost, account.role_changes);
        assert_eq!(cost, (0, 0), "{name}");
    }
}

#[test]
fn nobody_notices_that_the_agent_is_started_again() {
    play_unnoticed(&["restart", "crash-restart"]);
}

#[test]
fn by_advertisements_a_restart_is_not_noticed_either() {
    play_unnoticed(&["crash-restart-adverts"]);
}

#[test]
fn nobody_notices_an_upgrade() {
    play_unnoticed(&["upgrade"]);
}

#[test]
fn nobody_notices_a_change_of_schema() {
    play_unnoticed(&["schema-change"]);
}

#[test]
fn nobody_notices_that_the_configuration_changes() {
    play_unnoticed(&["reload"]);
}

#[test]
fn where_the_active_node_is_heard_at_all_nothing_changes() {
    play_unreplaced("one-way");
}

#[test]
fn without_its_advertisements_or_one_of_its_paths_nothing_changes_either() {
    play_unreplaced("advert-loss");
    play_unreplaced("one-path");
}

fn play_unreplaced(name: &str) {
    let Outcome {
        report, account, ..
    } = play(name);
    assert_eq!(report.probes_lost, 0, "{name}");
    assert_eq!(
        (report.takeover_ms, account.role_changes),
        (None, 0),
        "{name}"
    );
    assert_eq!(
        account.noted.contains("adverts_lost"),
        name == "advert-loss",
        "{name}: {:?}",
        account.noted
    );
}

#[test]
fn an_active_node_that_is_not_heard_gives_way_before_it_is_replaced() {
    let report = play("one-way-active-unheard").report;
    assert!(report.outage_ms <= 20.0, "{} ms", report.outage_ms);
    assert!(report.takeover_ms.is_some());
}

#[test]
fn by_advertisements_a_power_loss_is_over_within_400_ms() {
    let report = play("power-off-adverts").report;
    assert!(report.outage_ms <= 400.0, "{} ms", report.outage_ms);
    // Nothing that is alive on node b can know it earlier than by three missing advertisements.
    assert!(report.outage_ms >= 250.0, "{} ms", report.outage_ms);
}

#[test]
fn by_advertisements_a_killed_agent_is_replaced_without_a_second_owner() {
    let report = play("agent-killed-adverts").report;
    assert!(report.outage_ms <= 400.0, "{} ms", report.outage_ms);
    assert!(report.takeover_ms.is_some());
}

#[test]
fn ten_thousand_addresses_move_as_quickly() {
    let outcome = play("many-vips");
    assert_eq!(outcome.vips, 10_000);
    assert!(
        outcome.report.outage_ms <= 440.0,
        "{} ms",
        outcome.report.outage_ms
    );
}

#[test]
fn after_a_split_the_winner_alone_serves_even_who_knows_the_loser() {
    play_split("split-heal");
}

#[test]
fn so_it_is_after_a_split_with_a_virtual_mac() {
    play_split("split-heal-vmac");
}

fn play_split(name: &str) {
    let report = play(name).report;
    let split = report.split.expect("the nodes were apart");
    assert!(split.dual_answers > 100, "{name}: {split:?}");
    assert_eq!((report.probes_lost, split.astray), (0, 0), "{name}");
}
