//! What the agent has on the network: interfaces, sessions, peers.

use std::{net::IpAddr, thread::sleep, time::Duration};

use ha_lab::{
    address,
    agent::{self, GROUP},
    node::INTERFACE,
};

use crate::pair::{PROBES, Pair};

/// A session with the other node, over IPv4 or, for `two`, over its link-local address.
fn session(pair: &Pair, node: usize, name: &str) -> String {
    let other = pair.lab.node(1 - node as u8);
    let address: IpAddr = match name {
        "two" => other.link_local().into(),
        _ => other.station().v4.into(),
    };
    format!(
        "\n[[bfd]]\nname = \"{name}\"\ninterface = \"{INTERFACE}\"\naddress = \"{address}\"\n\n[[check]]\n\
         name = \"{name}\"\ntype = \"bfd\"\nsession = \"{name}\"\n"
    )
}

#[test]
fn an_interface_comes_with_its_program_and_goes_with_it() {
    let pair = Pair::start();
    let (before, pins) = (pair.standing(0, GROUP).unwrap(), pair.pins(0));
    let vip: IpAddr = "198.18.9.9".parse().unwrap();
    let spare = format!(
        "\n[[interface]]\nname = \"spare0\"\n{}",
        agent::group_on("spare0", "spare", 60, 100, &[vip])
    );
    let mut files = Vec::new();
    // A node takes over when the other has said that it is not Active, for which it needs the group.
    for node in [0, 1] {
        let address = ["198.18.9.1/24", "198.18.9.2/24"][node];
        pair.add_interface(node as u8, "spare0", address);
        files.push(pair.edit(node, |file| format!("{file}{spare}")));
        pair.agents[node].reload().unwrap();
    }
    pair.until("the group on it is Active", |pair| {
        pair.is_active(0, "spare") || pair.is_active(1, "spare")
    });
    let index = pair.lab.node(0).namespace().ifindex("spare0").unwrap();
    let link = format!("link-{index}");
    assert!(pair.pins(0).contains(&link), "{:?}", pair.pins(0));
    assert!(pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    let joined = |pair: &Pair| {
        let groups = pair.ip(0, &["-4", "maddress", "show", "dev", "spare0"]);
        groups.contains("224.0.0.18")
    };
    assert!(joined(&pair));

    for (agent, file) in pair.agents.iter().zip(&files) {
        agent.rewrite(file).unwrap();
        // While the group changes hands it is refused.
        pair.until("it is reloaded", |_| agent.reload().is_ok());
    }
    assert_eq!(pair.pins(0), pins);
    assert!(!pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    assert!(!joined(&pair), "the membership is left");
    assert!(!pair.is_local(0, vip));
    assert_eq!(pair.standing(0, GROUP), Some(before));
}

#[test]
fn sessions_and_peers_that_stay_do_not_begin_anew() {
    let pair = Pair::start();
    let tracked = "track = [{ check = \"one\" }]\nvips = [";
    for node in [0, 1] {
        let one = session(&pair, node, "one");
        pair.change(node, |file| file.replacen("vips = [", tracked, 1) + &one);
    }
    let is_up = |node: usize, name: &str| {
        let session = pair.agents[node].bfd(name);
        session.is_ok_and(|session| session.state == "up")
    };
    pair.until("one is up", |_| is_up(0, "one") && is_up(1, "one"));
    let seen = || {
        let session = pair.agents[0].bfd("one").unwrap();
        let changes = pair.agents[0].liveness_changes().unwrap();
        (session.discriminator, session.ups, changes)
    };
    let (before, standing) = (seen(), pair.standing(0, GROUP).unwrap());

    // Before the others: places in the file mean nothing.
    let nobody = address::node(7).v4;
    let peer = format!(
        "\n[[peer]]\nname = \"nobody\"\npaths = [{{ interface = \"{INTERFACE}\", address = \"{nobody}\" }}]\n"
    );
    for node in [0, 1] {
        let two = session(&pair, node, "two").replacen("[[check]]", &format!("{peer}[[check]]"), 1);
        let tracked = "track = [{ check = \"two\" }, ";
        pair.change(node, |file| {
            let file = file.replacen("track = [", tracked, 1);
            file.replacen("\n[[group]]", &format!("{two}\n[[group]]"), 1)
        });
    }
    pair.until("two is up", |_| is_up(0, "two") && is_up(1, "two"));
    assert_eq!(
        (seen(), pair.standing(0, GROUP).unwrap()),
        (before, standing.clone())
    );

    for node in [0, 1] {
        let (two, peer) = (session(&pair, node, "two"), peer.clone());
        pair.change(node, |file| {
            let file = file.replacen(&peer, "", 1).replacen(&two, "", 1);
            file.replacen("{ check = \"two\" }, ", "", 1)
        });
        assert!(pair.agents[node].bfd("two").is_err());
    }
    sleep(Duration::from_secs(1));
    assert!(is_up(0, "one"));
    assert_eq!(
        (seen(), pair.standing(0, GROUP).unwrap()),
        (before, standing)
    );
}

/// Who is no peer any more may not know yet: if it were not answered it would take this node for dead.
#[test]
fn peers_part_without_taking_each_other_for_dead() {
    let pair = Pair::start();
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let files = [0, 1].map(|node: u8| {
        let peer = agent::peer(pair.lab.node(1 - node), PROBES);
        let node = usize::from(node);
        let file = pair.edit(node, |file| file.replacen(&peer, "", 1));
        pair.agents[node].reload().unwrap();
        sleep(Duration::from_secs(1));
        for (node, before) in before.iter().enumerate() {
            assert_eq!(pair.standing(node, GROUP).as_ref(), Some(before));
        }
        file
    });
    assert!(pair.agents[0].ways().unwrap().is_empty());
    for (node, file) in files.iter().enumerate() {
        pair.agents[node].rewrite(file).unwrap();
        pair.agents[node].reload().unwrap();
    }
    pair.until("they watch each other again", |pair| {
        pair.all_up(0) && pair.all_up(1)
    });
    assert_eq!(
        [0, 1].map(|node| pair.standing(node, GROUP).unwrap()),
        before
    );
}
