//! Virtual IPs that come and go.

use std::net::IpAddr;

use ha_lab::{
    address,
    agent::{GROUP, Standing},
    node::INTERFACE,
    station::Station,
};

use crate::pair::{ANSWER, MORE, Pair, more_vips};

#[test]
fn an_address_that_is_added_answers_and_one_that_is_removed_is_silent() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    let six = IpAddr::V6(address::vip6(100));
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let filters = pair.ip(0, &["maddress", "show", "dev", INTERFACE]);
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());

    // What is planned is not done.
    pair.edit(0, |file| more_vips(file, &[MORE.into(), six]));
    let plan = pair.agents[0].plan(&[]).unwrap();
    assert!(
        plan.contains(&format!("virtual IPs added: {MORE} {six}")),
        "{plan}"
    );
    let plan = pair.agents[0].plan(&["--json"]).unwrap();
    assert!(
        plan.contains("\"applied\": false") && plan.contains("\"action\": \"changed\""),
        "{plan}"
    );
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
    assert!(!pair.is_local(0, MORE.into()));

    let done = pair.agents[0].reload().unwrap();
    assert!(done.contains("1 changes are in force"), "{done}");
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    assert!(pair.is_local(0, MORE.into()) && pair.is_local(0, six));
    pair.change(1, |file| more_vips(file, &[MORE.into(), six]));
    assert!(pair.is_local(1, MORE.into()));
    for (node, before) in before.iter().enumerate() {
        let now = pair.standing(node, GROUP).unwrap();
        assert_eq!(now.vips, before.vips + 2);
        assert_eq!(
            now,
            Standing {
                vips: now.vips,
                ..before.clone()
            }
        );
    }

    for node in [0, 1] {
        pair.change(node, |file| {
            let lines = [format!("    \"{MORE}\",\n"), format!("    \"{six}\",\n")];
            lines
                .iter()
                .fold(file.to_owned(), |file, line| file.replace(line, ""))
        });
    }
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
    assert!(observer.is_answered(address::vip4(0), ANSWER).unwrap());
    for node in [0, 1] {
        assert!(!pair.is_local(node, MORE.into()) && !pair.is_local(node, six));
        assert_eq!(
            pair.standing(node.into(), GROUP).as_ref(),
            Some(&before[usize::from(node)])
        );
    }
    assert_eq!(pair.ip(0, &["maddress", "show", "dev", INTERFACE]), filters);
}

#[test]
fn the_file_wins_over_what_was_added_at_run_time() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    pair.agents[0].vips("add", MORE.into()).unwrap();
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    let plan = pair.agents[0].plan(&[]).unwrap();
    assert!(
        plan.contains(&format!(
            "added at run time and are not in the file: {MORE}"
        )),
        "{plan}"
    );
    pair.agents[0].reload().unwrap();
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());

    // What has been written into it meanwhile stays, and nothing happens.
    pair.agents[0].vips("add", MORE.into()).unwrap();
    let done = pair.change(0, |file| more_vips(file, &[MORE.into()]));
    assert!(done.contains("nothing has changed"), "{done}");
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
}

#[test]
fn ten_thousand_addresses_come_and_go_within_the_lease() {
    let pair = Pair::start();
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let files: Vec<_> = (0..2)
        .map(|node| {
            let (first, last) = (address::vip4(1_000), address::vip4(10_999));
            let range = format!("vips = [\n    \"{first}-{last}\",\n");
            let file = pair.edit(node, |file| file.replacen("vips = [\n", &range, 1));
            pair.agents[node].reload().unwrap();
            file
        })
        .collect();
    // Twenty thousand announcements may have filled one who listens all the time.
    for vip in [1_000, 6_000, 10_999] {
        pair.until("a new one answers", |pair| {
            let observer = Station::observer(&pair.lab).unwrap();
            observer.is_answered(address::vip4(vip), ANSWER).unwrap()
        });
    }
    for (agent, file) in pair.agents.iter().zip(&files) {
        agent.rewrite(file).unwrap();
        agent.reload().unwrap();
    }
    let observer = Station::observer(&pair.lab).unwrap();
    assert!(!observer.is_answered(address::vip4(6_000), ANSWER).unwrap());
    for node in [0, 1] {
        let now = pair.standing(usize::from(node), GROUP);
        assert_eq!(now.as_ref(), Some(&before[usize::from(node)]));
        assert!(!pair.is_local(node, address::vip4(6_000).into()));
    }
}
