//! The agent in virtual machines: the oldest kernel that it is for, real NICs' XDP, VLANs and a bond.
//!
//! Takes the built agent, root, qemu and Debian's kernel. `cargo xtask test vm` sees to all of it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use ha_lab::{
    under_test,
    vm::{Cost, Network, Pair},
};

/// For how long nobody may answer in a planned move, milliseconds. Mostly nothing is lost; but answers that were being made when
/// the node let go are kept from being sent, and on a busy host a machine may stand still for a quarter of a second
/// meanwhile.
const MOVED_MS: f64 = 400.0;
/// For how long nobody may answer after a loss of power, milliseconds: three intervals of 200 ms between the nodes' probes,
/// and what machines without the processor's help take on a busy host: 460 to 760 ms in all were met. Advertisements
/// alone would take three seconds.
const OUTAGE_MS: f64 = 1_500.0;
/// The same of a bond that goes over to its other NIC: it looks every 100 ms, and both the loss and its own notice of it
/// take their time.
const BOND_OUTAGE_MS: f64 = 400.0;

/// The whole life of virtual IPs on a network, in which the agent ends by these signals first.
fn play(network: Network, signals: &[&str]) {
    let mut pair = Pair::boot(&under_test::agent(), network).unwrap();
    for node in [0, 1] {
        let standing = pair.member(node).standing().unwrap();
        assert_eq!(standing.mode(network.interface()), Some(network.mode()));
    }
    for signal in signals {
        restart(&mut pair, signal);
    }

    let cost = pair.cost(0, |pair| {
        pair.member(0).switch_over()?;
        pair.await_served_by(1)
    });
    let cost = said("switchover", cost.unwrap());
    assert!(cost.report.outage_ms <= MOVED_MS, "{cost:?}");
    assert!(cost.report.takeover_ms.is_some(), "{cost:?}");

    if network.nics() > 1 {
        inside_the_bond(&mut pair, 1);
    }

    let cost = pair.cost(1, |pair| {
        pair.member(1).power_off()?;
        pair.await_served_by(0)
    });
    let cost = said("power-off", cost.unwrap());
    assert!(cost.report.takeover_ms.is_some(), "{cost:?}");
    assert!(cost.report.outage_ms < OUTAGE_MS, "{cost:?}");
}

/// The agent of the Active node ends, and the next one goes on within its lease.
fn restart(pair: &mut Pair, signal: &str) {
    let before = pair.member(0).standing().unwrap().process();
    let cost = pair.cost(0, |pair| {
        pair.member(0).restart(signal)?;
        pair.until("another agent runs", |node, standing| {
            let other = node != 0 || standing.process() != before;
            other && standing.process().is_some()
        })?;
        pair.await_served_by(0)
    });
    let cost = said(&format!("restart by {signal}"), cost.unwrap());
    assert_eq!(cost.report.probes_lost, 0, "{cost:?}");
    assert_eq!(cost.role_changes, 0, "{cost:?}");
}

/// The NIC that the bond of the Active node does not use is replaced. Then the other one loses its cable, and then that
/// one.
fn inside_the_bond(pair: &mut Pair, node: u8) {
    let used = pair.member(node).bond_uses().unwrap();
    let cost = pair.cost(node, |pair| pair.member(node).replace_nic(1 - used));
    let cost = said("NIC replaced", cost.unwrap());
    assert_eq!(cost.report.probes_lost, 0, "{cost:?}");
    assert_eq!(cost.role_changes, 0, "{cost:?}");
    for _ in 0..2 {
        let used = pair.member(node).bond_uses().unwrap();
        let cost = pair.cost(node, |pair| {
            pair.set_cable(node, used, false)?;
            std::thread::sleep(Duration::from_secs(3));
            pair.set_cable(node, used, true)
        });
        let cost = said("cable pulled", cost.unwrap());
        assert_ne!(pair.member(node).bond_uses().unwrap(), used);
        assert!(cost.report.outage_ms < BOND_OUTAGE_MS, "{cost:?}");
        assert_eq!(cost.role_changes, 0, "{cost:?}");
    }
}

/// Prints what it cost; that both answered is nowhere allowed.
fn said(what: &str, cost: Cost) -> Cost {
    let Cost {
        report,
        by_both,
        role_changes,
    } = &cost;
    println!(
        "{what}: {} of {} lost, nobody answers for {} ms, other node answers after {:?} ms, {by_both} answered by \
         both, {} twice, {role_changes} changes of role",
        report.probes_lost,
        report.probes_sent,
        report.outage_ms,
        report.takeover_ms,
        report.dual_answers,
    );
    assert_eq!(*by_both, 0, "{what}: {report:?}");
    cost
}

#[test]
fn plain() {
    play(Network::Plain, &["USR2", "KILL"]);
}

#[test]
fn tagged() {
    play(Network::Tagged, &["KILL"]);
}

#[test]
fn doubly_tagged() {
    play(Network::DoublyTagged, &["USR2"]);
}

#[test]
fn bonded() {
    play(Network::Bonded, &["USR2", "KILL"]);
}

#[test]
fn bonded_generic() {
    play(Network::BondedGeneric, &["KILL"]);
}
