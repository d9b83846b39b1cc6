//! Groups that come, go, change in place, or change hands at that moment.

use std::{net::IpAddr, thread::sleep, time::Duration};

use ha_lab::{
    address,
    agent::{self, GROUP},
    station::Station,
};

use crate::pair::{ANSWER, MORE, Pair, more_vips};

#[test]
fn a_group_comes_and_goes_and_the_others_are_not_touched() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let vips = [MORE.into(), IpAddr::V6(address::vip6(100))];
    let files: Vec<_> = (0..2)
        .map(|node| {
            let priority = [150, 200][node];
            // Before the others: places in the file mean nothing.
            let group = agent::group("more", 77, priority, &vips);
            let file = pair.edit(node, |file| {
                file.replacen("\n[[group]]", &format!("{group}\n[[group]]"), 1)
            });
            pair.agents[node].reload().unwrap();
            file
        })
        .collect();
    pair.until("b has it, which is better", |pair| {
        pair.is_active(1, "more") && !pair.is_active(0, "more")
    });
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    assert_eq!(pair.standing(0, GROUP).as_ref(), Some(&before[0]));

    // A vrid is another virtual router: it is released first.
    let epoch = pair.standing(1, "more").unwrap().epoch;
    let done = pair.change(1, |file| file.replacen("vrid = 77", "vrid = 78", 1));
    assert!(
        done.contains("! group more: released, then begun anew"),
        "{done}"
    );
    let done = pair.change(0, |file| file.replacen("vrid = 77", "vrid = 78", 1));
    assert!(done.contains("vrid 77 → 78"), "{done}");
    pair.until("b has it again", |pair| {
        pair.is_active(1, "more") && !pair.is_active(0, "more")
    });
    assert!(
        pair.standing(1, "more").unwrap().epoch > epoch,
        "epochs go on"
    );

    for (node, file) in files.iter().enumerate() {
        pair.agents[node].rewrite(file).unwrap();
        pair.agents[node].reload().unwrap();
        assert_eq!(pair.standing(node, "more"), None);
        assert_eq!(pair.standing(node, GROUP).as_ref(), Some(&before[node]));
        assert!(!pair.is_local(node as u8, MORE.into()));
    }
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
}

#[test]
fn priority_and_interval_change_in_place() {
    let pair = Pair::start();
    let before = pair.standing(1, GROUP).unwrap();
    // The longer one first where it is learnt, so that nobody is impatient.
    for node in [0, 1] {
        let done = pair.change(node, |file| {
            file.replacen(
                "advert_interval = \"100ms\"",
                "advert_interval = \"400ms\"",
                1,
            )
        });
        assert!(done.contains("advert_interval 100ms → 400ms"), "{done}");
    }
    sleep(Duration::from_secs(3));
    assert_eq!(pair.standing(1, GROUP).unwrap().epoch, before.epoch);
    assert!(pair.is_active(0, GROUP));
    let done = pair.change(1, |file| {
        file.replacen("priority = 150", "priority = 250", 1)
    });
    assert!(done.contains("priority 150 → 250"), "{done}");
    pair.until("b preempts", |pair| {
        pair.is_active(1, GROUP) && !pair.is_active(0, GROUP)
    });
}

#[test]
fn a_group_that_changes_hands_is_not_changed_meanwhile() {
    let mut pair = Pair::start();
    let (sum, _) = pair.agents[0].in_force().unwrap();
    // Who is asked does not claim, so it takes its time.
    pair.agents[1].daemon().freeze().unwrap();
    pair.agents[0].begin_switch_over().unwrap();
    pair.edit(0, |file| more_vips(file, &[MORE.into()]));
    let refusal = pair.refusal(0);
    assert!(
        refusal.contains("lab changes hands at this moment"),
        "{refusal}"
    );
    assert_eq!(pair.agents[0].in_force().unwrap().0, sum);
    assert!(!pair.is_local(0, MORE.into()));
    pair.until("it can be changed when that is over", |pair| {
        pair.agents[0].reload().is_ok()
    });
    assert!(pair.is_local(0, MORE.into()));
    assert!(pair.is_active(0, GROUP));
    pair.agents[1].daemon().thaw().unwrap();
}
