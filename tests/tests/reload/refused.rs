//! What cannot be put in force changes nothing.

use std::net::IpAddr;

use ha_lab::{
    address,
    agent::{self, GROUP},
    command,
    node::INTERFACE,
    station::Station,
};

use crate::pair::{ANSWER, MORE, Pair, more_vips};

#[test]
fn a_file_that_is_wrong_or_cannot_be_in_force_changes_nothing_and_says_why() {
    let pair = Pair::start();
    let before = pair.standing(0, GROUP).unwrap();
    let (sum, error) = pair.agents[0].in_force().unwrap();
    assert_eq!(error, None);
    let pins = pair.pins(0);
    let file = pair.agents[0].file().unwrap();
    // One without an address, and one that is not there.
    let bare = "link add bare type veth peer name barep\nlink set bare up\nlink set barep up\n";
    command::ip_batch(pair.lab.node(0).namespace().name(), bare).unwrap();
    let line = 1 + file.lines().position(|line| line == "vrid = 51").unwrap();
    let vips = [IpAddr::from(MORE)];
    for (text, code, told) in [
        (
            file.replacen("vrid = 51", "vrid = 0", 1),
            2,
            format!(
                "ha-agent.toml:{line}:8: group.lab.election.vrid: 0 is out of range: choose 1 to 255"
            ),
        ),
        (
            file.replacen("vips = [", "vips = ", 1),
            2,
            "ha-agent.toml:".to_owned(),
        ),
        (
            file.replacen("name = \"a\"", "name = \"c\"", 1),
            1,
            "node.name a → c: that is read at a start only".to_owned(),
        ),
        (
            format!("{file}\n[log]\nfilter = \"debug\"\n"),
            1,
            "log.filter info → debug".to_owned(),
        ),
        (
            format!("{file}\n[[interface]]\nname = \"nowhere0\"\n"),
            1,
            "there is no interface nowhere0".to_owned(),
        ),
        (
            format!(
                "{file}\n[[interface]]\nname = \"bare\"\n{}",
                agent::group_on("bare", "more", 77, 100, &vips)
            ),
            1,
            "bare has no IPv4 address".to_owned(),
        ),
        // In native mode nothing can be attached there, which shows only when it is tried.
        (
            format!(
                "{file}\n[[interface]]\nname = \"lo\"\n{}",
                agent::group("more", 77, 100, &vips)
            ),
            1,
            "cannot attach the program to lo".to_owned(),
        ),
    ] {
        pair.agents[0].rewrite(&text).unwrap();
        let refusal = pair.refusal(0);
        assert!(refusal.contains(&told), "{told}: {refusal}");
        assert!(
            refusal.contains(&format!("exit status: {code}")),
            "{refusal}"
        );
        let (now, error) = pair.agents[0].in_force().unwrap();
        assert_eq!(now, sum, "{told}");
        assert!(error.unwrap().contains(&told), "the status says why");
        assert_eq!(pair.standing(0, GROUP).as_ref(), Some(&before), "{told}");
        assert_eq!(pair.pins(0), pins, "{told}");
        assert!(!pair.is_local(0, MORE.into()), "{told}");
        assert_eq!(pair.standing(0, "more"), None);
    }
    pair.agents[0].rewrite(&file).unwrap();
    pair.agents[0].reload().unwrap();
    assert_eq!(pair.agents[0].in_force().unwrap(), (sum, None));
}

#[test]
fn what_was_added_is_taken_back_when_something_after_it_fails() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    pair.add_interface(0, "spare0", "198.18.9.1/24");
    let (before, pins) = (pair.standing(0, GROUP).unwrap(), pair.pins(0));
    let filters = || pair.ip(0, &["maddress", "show", "dev", INTERFACE]);
    let filtered = filters();
    // The routes are the last that can fail.
    let namespace = pair.lab.node(0).namespace();
    namespace.set("ipv6/conf/lo/disable_ipv6", "1").unwrap();
    let six = IpAddr::V6(address::vip6(100));
    let group = agent::group("more", 77, 100, &[address::vip4(101).into()]);
    let spare = "\n[[interface]]\nname = \"spare0\"\n";
    let file = pair.edit(0, |file| {
        more_vips(file, &[MORE.into(), six]) + spare + &group
    });
    let refusal = pair.refusal(0);
    assert!(refusal.contains("cannot add the local route"), "{refusal}");
    assert!(
        refusal.contains("the configuration from before is in force"),
        "{refusal}"
    );
    assert_eq!(pair.standing(0, GROUP), Some(before));
    assert_eq!((pair.standing(0, "more"), pair.pins(0)), (None, pins));
    assert!(!pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    assert_eq!(filters(), filtered);
    for vip in [MORE, address::vip4(101)] {
        assert!(!pair.is_local(0, vip.into()));
        assert!(!observer.is_answered(vip, ANSWER).unwrap());
    }

    // The same file is in force when it can be.
    namespace.set("ipv6/conf/lo/disable_ipv6", "0").unwrap();
    pair.agents[0].reload().unwrap();
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    pair.agents[0].rewrite(&file).unwrap();
    pair.agents[0].reload().unwrap();
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
}
