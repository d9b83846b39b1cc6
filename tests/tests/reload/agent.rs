//! The agent itself: its signals, its duty, its death, and one reload after the other.

use std::{thread::sleep, time::Duration};

use ha_lab::agent::{self, GROUP};

use crate::pair::{MORE, Pair, more_vips};

#[test]
fn after_a_reload_a_crash_is_as_unnoticed_as_before() {
    let mut pair = Pair::start();
    for node in [0, 1] {
        pair.change(node, |file| more_vips(file, &[MORE.into()]));
    }
    let before = pair.standing(0, GROUP).unwrap();
    pair.agents[0].daemon().kill().unwrap();
    pair.agents[0].start_again(pair.lab.node(0)).unwrap();
    pair.until("it goes on", |pair| pair.is_active(0, GROUP));
    let now = pair.standing(0, GROUP).unwrap();
    assert_eq!((now.epoch, now.vips), (before.epoch, before.vips));
    assert!(!pair.is_active(1, GROUP));
}

#[test]
fn a_signal_does_the_same_and_a_drained_node_stays_drained() {
    let mut pair = Pair::start();
    pair.agents[0].drain().unwrap();
    pair.until("b has it", |pair| {
        pair.is_active(1, GROUP) && !pair.is_active(0, GROUP)
    });
    let (sum, _) = pair.agents[0].in_force().unwrap();
    let vips = [MORE.into()];
    for node in [0, 1] {
        let group = agent::group("more", 77, [200, 150][node], &vips);
        pair.edit(node, |file| {
            format!("{file}{group}")
                .replacen("priority = 200", "priority = 210", 1)
                .replacen("priority = 150", "priority = 160", 1)
        });
        pair.agents[node].daemon().reload().unwrap();
    }
    pair.until("it is in force", |pair| {
        pair.agents[0].in_force().is_ok_and(|(now, _)| now != sum)
    });
    pair.until("b has the new one, too", |pair| pair.is_active(1, "more"));
    // Its priority would let it preempt.
    sleep(Duration::from_secs(1));
    assert!(!pair.is_active(0, "more") && !pair.is_active(0, GROUP));
    assert_eq!(pair.standing(0, GROUP).unwrap().priority, Some(1));
    pair.agents[0].undrain().unwrap();
    pair.until("a preempts", |pair| {
        pair.is_active(0, GROUP) && pair.is_active(0, "more")
    });
    assert_eq!(pair.standing(0, GROUP).unwrap().priority, Some(210));
}

#[test]
fn two_reloads_follow_each_other() {
    let pair = Pair::start();
    pair.edit(0, |file| more_vips(file, &[MORE.into()]));
    let both = std::thread::scope(|scope| {
        let each = [0, 1].map(|_| scope.spawn(|| pair.agents[0].reload().unwrap()));
        each.map(|reload| reload.join().unwrap())
    });
    let done = both
        .iter()
        .filter(|said| said.contains("1 changes are in force"));
    assert_eq!(done.count(), 1, "{both:?}");
    assert!(
        both.iter().any(|said| said.contains("nothing has changed")),
        "{both:?}"
    );
}
