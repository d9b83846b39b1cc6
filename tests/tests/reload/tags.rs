//! A group on a VLAN of a NIC that takes tags off.

use std::process::Command;

use ha_lab::{agent, command, node::INTERFACE, station::Station};

use crate::pair::{ANSWER, MORE, Pair};

const VLAN: u16 = 7;

/// A group on that VLAN.
fn tagged() -> String {
    let vlan = format!("vlan = [{VLAN}]\nvips = [");
    agent::group("tagged", 77, 100, &[MORE.into()]).replacen("vips = [", &vlan, 1)
}

fn ethtool(pair: &Pair, arguments: &[&str]) -> String {
    let node = pair.lab.node(0).namespace();
    command::run(node.command("ethtool").unwrap().args(arguments)).unwrap()
}

#[test]
fn a_nic_that_takes_tags_off_is_refused_unless_it_may_be_told_not_to() {
    let pair = Pair::start();
    // What the switch sends has its tag in the frame, as on a wire.
    for node in pair.lab.nodes() {
        let mut port: Command = pair.lab.switch().command("ethtool").unwrap();
        command::run(port.args(["-K", node.name(), "txvlan", "off"])).unwrap();
    }
    let is_on = "rx-vlan-offload: on";
    assert!(ethtool(&pair, &["-k", INTERFACE]).contains(is_on));

    let file = pair.edit(0, |file| format!("{file}{}", tagged()));
    let refusal = pair.refusal(0);
    let mend = format!("`ethtool -K {INTERFACE} rxvlan off`");
    assert!(refusal.contains(&mend), "{refusal}");
    assert_eq!(pair.standing(0, "tagged"), None);
    assert!(ethtool(&pair, &["-k", INTERFACE]).contains(is_on));

    let named = format!("[[interface]]\nname = \"{INTERFACE}\"\n");
    let allow = |file: &str| {
        let allowed = format!("{named}vlan_offload = \"off\"\n");
        file.replacen(&named, &allowed, 1) + &tagged()
    };
    pair.agents[0].rewrite(&allow(&file)).unwrap();
    let plan = pair.agents[0].plan(&[]).unwrap();
    assert!(plan.contains("vlan_offload keep → off"), "{plan}");
    assert!(ethtool(&pair, &["-k", INTERFACE]).contains(is_on));
    pair.agents[0].reload().unwrap();
    assert!(!ethtool(&pair, &["-k", INTERFACE]).contains(is_on));
    // A node takes over when the other has said that it is not Active, for which it needs the group.
    pair.change(1, allow);
    pair.until("one of them is Active", |pair| {
        pair.is_active(0, "tagged") || pair.is_active(1, "tagged")
    });
    // No host of the lab has a network with tags, so it is the data path that answers.
    let observer = Station::observer(&pair.lab).unwrap();
    assert!(
        !observer
            .on_vlan(VLAN + 1)
            .is_answered(MORE, ANSWER)
            .unwrap()
    );
    let observer = Station::observer(&pair.lab).unwrap();
    assert!(observer.on_vlan(VLAN).is_answered(MORE, ANSWER).unwrap());
}
