//! How long it takes to move a group of virtual IPs: one of 1, and one of 65,536.
//!
//! Maps and programs are the agent's, and so is the code that writes the role word; only the election
//! is missing. `--once` flips each group a single time between two marks on standard error, for strace.

mod mark;
mod stage;

use std::{hint::black_box, time::Instant};

use anyhow::{Result, bail, ensure};
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};
use ha_common::abi::Role;
use ha_lab::bench::Samples;

use self::stage::{Group, Stage};

/// Virtual IPs of the groups that are compared.
const SIZES: [u32; 2] = [1, 65_536];
/// How many times as long as the smallest group the largest may take.
const PROMISED_RATIO: f64 = 1.5;
/// Samples of each group, taken in turn.
const SAMPLES: usize = 101;
/// Flips in a sample: enough that reading the clock does not count.
const FLIPS: u32 = 10_000;
/// Flips in a sample in which the program answers after each.
const ANSWERED_FLIPS: u32 = 200;

fn main() -> Result<()> {
    let once = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--once") => true,
        Some(other) => bail!("{other} is not understood: give --once, or nothing"),
    };
    let stage = Stage::set(&SIZES)?;
    for group in stage.groups() {
        check(&stage, group)?;
    }
    if once {
        flip_once(&stage)
    } else {
        measure(&stage)
    }
}

/// Whether the program in the kernel follows the word, for the first and for the last address.
fn check(stage: &Stage, group: &Group) -> Result<()> {
    for (role, answered) in [
        (Role::Backup, false),
        (Role::Active, true),
        (Role::Backup, false),
    ] {
        stage.flip(group, role);
        for vip in [group.first, group.last] {
            ensure!(
                stage.answers(vip)? == answered,
                "ARP for {vip} of {} virtual IPs after the role became {}: the kernel's program does \
                 not follow",
                group.vips,
                role.name()
            );
        }
    }
    println!(
        "{:>6} virtual IPs: ARP for {} and {} unanswered, then answered, then unanswered",
        group.vips, group.first, group.last
    );
    Ok(())
}

fn flip_once(stage: &Stage) -> Result<()> {
    for group in stage.groups() {
        let between = mark::around(group.vips);
        between.begin()?;
        stage.flip(group, Role::Active);
        between.end()?;
        ensure!(
            stage.answers(group.last)?,
            "the kernel did not see the flip"
        );
    }
    Ok(())
}

fn measure(stage: &Stage) -> Result<()> {
    let stores = in_turn(stage, |group| {
        for _ in 0..FLIPS / 2 {
            stage.flip(black_box(group), Role::Active);
            stage.flip(black_box(group), Role::Backup);
        }
        Ok(FLIPS)
    })?;
    let answered = in_turn(stage, |group| {
        for _ in 0..ANSWERED_FLIPS / 2 {
            for role in [Role::Active, Role::Backup] {
                stage.flip(group, role);
                black_box(stage.answers(group.last)?);
            }
        }
        Ok(ANSWERED_FLIPS)
    })?;
    print(stage, &stores, &answered);
    let ratio = stores[1].ratio(&stores[0]);
    ensure!(
        ratio <= PROMISED_RATIO,
        "moving {} virtual IPs takes {ratio:.2} times as long as moving {}: promised is \
         {PROMISED_RATIO}",
        SIZES[1],
        SIZES[0]
    );
    println!("ratio {ratio:.2}, promised {PROMISED_RATIO}");
    Ok(())
}

/// Takes samples of every group in turn, so that what disturbs the machine disturbs them alike:
/// nanoseconds for each flip, by group. `flips` does some and returns how many.
fn in_turn(stage: &Stage, mut flips: impl FnMut(&Group) -> Result<u32>) -> Result<Vec<Samples>> {
    let mut times = vec![Vec::with_capacity(SAMPLES); stage.groups().len()];
    for _ in 0..SAMPLES {
        for (times, group) in times.iter_mut().zip(stage.groups()) {
            let begun = Instant::now();
            let count = flips(group)?;
            times.push(begun.elapsed().as_secs_f64() * 1e9 / f64::from(count));
        }
    }
    Ok(times.into_iter().map(Samples::new).collect())
}

fn print(stage: &Stage, stores: &[Samples], answered: &[Samples]) {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header([
        "virtual IPs",
        "flip",
        "spread",
        "flip and the next ARP answer",
        "spread",
    ]);
    for ((group, store), answer) in stage.groups().iter().zip(stores).zip(answered) {
        table.add_row([
            group.vips.to_string(),
            format!("{:.1} ns", store.median()),
            format!("{:.0} %", store.spread() * 100.0),
            format!("{:.0} ns", answer.median()),
            format!("{:.0} %", answer.spread() * 100.0),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}
