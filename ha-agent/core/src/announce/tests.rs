use core::{num::NonZeroUsize, time::Duration};
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Config, Schedule};
use crate::time::Time;

const CONFIG: Config = Config {
    repeats: 2,
    spacing: Duration::from_millis(1_100),
    refresh: Some(Duration::from_secs(10)),
    tick: Duration::from_millis(5),
    per_tick: match NonZeroUsize::new(8) {
        Some(count) => count,
        None => panic!("eight is not zero"),
    },
};

const fn at(millis: u64) -> Time {
    Time::from_origin(Duration::from_millis(millis))
}

/// When each place of each group was announced.
type Log = BTreeMap<(u32, usize), Vec<Time>>;

/// Runs until `end`, awake whenever the schedule asks for it.
fn run(schedule: &mut Schedule, log: &mut Log, end: Time) {
    while let Some(now) = schedule.deadline().filter(|&due| due < end) {
        while let Some(batch) = schedule.next(now) {
            for place in batch.indices {
                log.entry((batch.group, place)).or_default().push(now);
            }
        }
    }
}

#[test]
fn nothing_to_do_without_places() {
    let mut schedule = Schedule::new(CONFIG);
    schedule.start(at(0), 1, 0);
    assert_eq!(schedule.deadline(), None);
    assert_eq!(schedule.next(at(0)), None);
}

#[test]
fn rounds_of_a_single_place() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    schedule.start(at(100), 1, 1);
    run(&mut schedule, &mut log, at(25_000));
    let expected = [100, 1_200, 2_300, 12_300, 22_300].map(at);
    assert_eq!(log[&(1, 0)], expected);
}

#[test]
fn without_refresh_it_ends() {
    let mut schedule = Schedule::new(Config {
        refresh: None,
        ..CONFIG
    });
    let mut log = Log::new();
    schedule.start(at(0), 1, 100);
    run(&mut schedule, &mut log, at(60_000));
    assert!(log.values().all(|times| times.len() == 3));
    assert_eq!(schedule.deadline(), None);
}

#[test]
fn early_calls_are_in_vain() {
    let mut schedule = Schedule::new(CONFIG);
    schedule.start(at(10), 1, 1);
    assert_eq!(schedule.next(at(9)), None);
    assert!(schedule.next(at(10)).is_some());
    assert_eq!(schedule.next(at(1_109)), None);
    assert_eq!(schedule.deadline(), Some(at(1_110)));
}

#[test]
fn a_stopped_group_is_silent_and_others_go_on() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    schedule.start(at(0), 1, 100);
    schedule.start(at(0), 2, 1);
    run(&mut schedule, &mut log, at(20));
    schedule.stop(1);
    let before = log
        .range((1, 0)..(2, 0))
        .map(|(_, times)| times.len())
        .sum::<usize>();
    run(&mut schedule, &mut log, at(30_000));
    let after = log
        .range((1, 0)..(2, 0))
        .map(|(_, times)| times.len())
        .sum::<usize>();
    assert_eq!(before, after);
    assert_eq!(log[&(2, 0)].len(), 5);
}

#[test]
fn starting_again_begins_anew() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    schedule.start(at(0), 1, 1);
    run(&mut schedule, &mut log, at(500));
    schedule.start(at(500), 1, 1);
    run(&mut schedule, &mut log, at(3_000));
    assert_eq!(log[&(1, 0)], [0, 500, 1_600, 2_700].map(at));
}

#[test]
fn every_group_has_its_first_place_before_any_has_its_second() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    for group in 0..20 {
        schedule.start(at(0), group, 500);
    }
    run(&mut schedule, &mut log, at(4_000));
    let firsts = (0..20).map(|group| log[&(group, 0)][0]);
    let seconds = (0..20).map(|group| log[&(group, 1)][0]);
    assert!(firsts.max() <= seconds.min());
}

#[test]
fn an_addition_does_not_wait_for_a_long_sweep() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    schedule.start(at(0), 1, 10_000);
    run(&mut schedule, &mut log, at(1_000));
    schedule.add(at(1_000), 1, 10_000..10_004);
    run(&mut schedule, &mut log, at(60_000));
    for place in 10_000..10_004 {
        assert!(log[&(1, place)][0] <= at(1_015), "place {place}");
    }
    assert!(log[&(1, 9_999)][0] < at(10_000 / 8 * 5 + 20));
}

#[test]
fn additions_become_one_sweep() {
    let mut schedule = Schedule::new(CONFIG);
    let mut log = Log::new();
    schedule.start(at(0), 1, 10);
    for place in 10..200 {
        schedule.add(at(0), 1, place..place + 1);
    }
    run(&mut schedule, &mut log, at(60_000));
    assert!(schedule.sweeps.len() <= 2, "{:?}", schedule.sweeps);
    assert_eq!(log.len(), 200);
}

proptest! {
    #[test]
    fn rate_and_spacing_hold_and_nobody_is_left_out(
        starts in prop::collection::vec((0_u64..3_000, 0_u32..5, 1_usize..200), 1..8),
        additions in prop::collection::vec((0_u64..3_000, 1_usize..20), 0..8),
    ) {
        let mut schedule = Schedule::new(CONFIG);
        let mut log = Log::new();
        let mut counts = BTreeMap::new();
        let mut events: Vec<_> = starts
            .iter()
            .map(|&(time, group, count)| (time, group, Some(count), 0))
            .chain(additions.iter().map(|&(time, more)| (time, starts[0].1, None, more)))
            .collect();
        events.sort_unstable();
        for (time, group, start, more) in events {
            run(&mut schedule, &mut log, at(time));
            match (start, counts.get_mut(&group)) {
                (Some(count), None) => {
                    schedule.start(at(time), group, count);
                    counts.insert(group, count);
                }
                (None, Some(count)) => {
                    schedule.add(at(time), group, *count..*count + more);
                    *count += more;
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        run(&mut schedule, &mut log, at(40_000));

        for (&group, &count) in &counts {
            for place in 0..count {
                let times = &log[&(group, place)];
                prop_assert!(times.len() >= 4, "group {group} place {place}: {times:?}");
                for pair in times.windows(2) {
                    prop_assert!(pair[1].since(pair[0]) >= CONFIG.spacing);
                }
            }
        }
        let mut all: Vec<_> = log.values().flatten().collect();
        all.sort_unstable();
        // What is left of one tick can come right before all of the next.
        let two_ticks = 2 * CONFIG.per_tick.get();
        for window in all.windows(two_ticks + 1) {
            prop_assert!(window[two_ticks].since(*window[0]) >= CONFIG.tick);
        }
    }
}

/// What stale traffic in each of `seconds` brings about, beside the first announcements at 0, 1.1 and 2.2 s.
fn hurried(config: Config, seconds: core::ops::Range<u64>) -> Vec<Time> {
    let mut schedule = Schedule::new(config);
    let mut log = Log::new();
    schedule.start(at(0), 1, 1);
    for second in seconds {
        run(&mut schedule, &mut log, at(second * 1000));
        schedule.hurry(at(second * 1000), 1, 1);
        while schedule.next(at(second * 1000)).is_some_and(|batch| {
            log.entry((batch.group, 0))
                .or_default()
                .push(at(second * 1000));
            true
        }) {}
    }
    run(&mut schedule, &mut log, at(20_000));
    log.remove(&(1, 0)).unwrap_or_default()
}

#[test]
fn stale_traffic_brings_announcements_forward_at_doubling_pauses() {
    let expected = [0, 1_100, 2_200, 3_000, 5_000, 8_000, 13_000].map(at);
    let times = hurried(CONFIG, 1..16);
    assert_eq!(
        times, expected,
        "then 1.1 s, 2.2 s, 4.4 s later at the least"
    );
}

#[test]
fn stale_traffic_is_told_where_there_is_no_refresh_too() {
    let config = Config {
        refresh: None,
        ..CONFIG
    };
    assert_eq!(hurried(config, 7..8), [0, 1_100, 2_200, 7_000].map(at));
}

#[test]
fn a_group_that_is_not_announced_any_more_is_not_hurried_by_an_old_pause() {
    let mut schedule = Schedule::new(CONFIG);
    schedule.hurry(at(0), 1, 0);
    assert_eq!(schedule.deadline(), None, "there is nothing to announce");
    schedule.hurry(at(0), 1, 1);
    assert!(schedule.next(at(0)).is_some());
    schedule.stop(1);
    schedule.hurry(at(1), 1, 1);
    assert!(
        schedule.next(at(1)).is_some(),
        "another time of being Active"
    );
}
