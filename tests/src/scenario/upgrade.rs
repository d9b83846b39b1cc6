//! The agent on the Active node is replaced by another one: with other programs for the kernel, or with other maps.
//!
//! Three times there and back: an older one that follows a newer one is the same to it.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{Scenario, Setting, Stage, restart::UNNOTICED};
use crate::{
    agent::OnLink,
    cluster::{Cluster, PREFERRED},
    under_test::Variant,
};

const SETTING: Setting = Setting {
    has_variants: true,
    ..Setting::PLANNED
};

pub(super) const PROGRAM: Scenario = Scenario {
    name: "upgrade",
    what: "the agent on node a is replaced by one with other programs for the kernel, three times and back",
    setting: SETTING,
    promise: UNNOTICED,
    play: |stage| there_and_back(stage, Variant::Program),
};

pub(super) const SCHEMA: Scenario = Scenario {
    name: "schema-change",
    what: "the same; its maps have another layout, too",
    setting: SETTING,
    promise: UNNOTICED,
    play: |stage| there_and_back(stage, Variant::Schema),
};

/// How the agent before ends.
#[derive(Clone, Copy)]
enum End {
    MakesWay,
    IsKilled,
}

/// Not always at the same point of an interval.
const ROUNDS: [(u64, End); 6] = [
    (1500, End::MakesWay),
    (1030, End::IsKilled),
    (1070, End::IsKilled),
    (1010, End::MakesWay),
    (1050, End::MakesWay),
    (1090, End::IsKilled),
];
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(5);

fn there_and_back(stage: &mut Stage<'_>, other: Variant) -> Result<()> {
    // What the ordinary agent's programs are known by, and the other's.
    let mut tags: [Option<String>; 2] = [None, None];
    for (round, (pause, end)) in ROUNDS.into_iter().enumerate() {
        stage.hold(Duration::from_millis(pause));
        let (from, to) = (round % 2, (round + 1) % 2);
        let before = stage.look(on_link)?;
        let label = match end {
            End::MakesWay => "agent a replaced",
            End::IsKilled => "agent a crashed and replaced",
        };
        stage.mark(label, |cluster| {
            match end {
                End::MakesWay => cluster.hand_over(PREFERRED)?,
                End::IsKilled => cluster.daemon(PREFERRED).kill()?,
            }
            let which = (to == 1).then_some(other);
            cluster.change_program(PREFERRED, which);
            cluster.start_again(PREFERRED)
        })?;
        let after = stage.look(|cluster| await_change(cluster, before.as_ref()))?;
        // keepalived has none.
        let (Some(before), Some(after)) = (before, after) else {
            continue;
        };
        for (place, found) in [(from, before), (to, after)] {
            let known = tags[place].get_or_insert_with(|| found.tag.clone());
            ensure!(
                *known == found.tag,
                "the agent has put the program {} in place, and has {known}",
                found.tag
            );
        }
        ensure!(tags[0] != tags[1], "both agents have the same program");
    }
    stage.hold(Duration::from_secs(2));
    Ok(())
}

fn on_link(cluster: &Cluster) -> Result<Option<OnLink>> {
    let agent = cluster.agent(PREFERRED);
    agent
        .map(|_| OnLink::read(cluster.lab().node(PREFERRED)))
        .transpose()
}

/// Waits until the agent has its own programs and maps in place, and nothing of the other's is left.
fn await_change(cluster: &Cluster, before: Option<&OnLink>) -> Result<Option<OnLink>> {
    let begun = Instant::now();
    let Some(before) = before else {
        return Ok(None);
    };
    loop {
        let now = on_link(cluster)?.context("there is an agent")?;
        let has_changed = now.program != before.program;
        if has_changed && now.schemas.len() == 1 {
            return Ok(Some(now));
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "the agent has not put its own programs in place: {now:?} after {before:?}"
        );
        sleep(GLANCE);
    }
}
