//! The agent killed at any moment of its start: what is left is one owner, and nothing that keeps the next
//! start from going on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    probe::Prober,
    report::{Report, Window},
    under_test,
};

/// Between the moments at which a start is killed.
const STEP: Duration = Duration::from_millis(15);
/// More than a start takes.
const STEPS: u32 = 24;
/// How long a start and an election may take together on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that is pinned below a directory.
fn pinned(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(pinned(&path));
        } else {
            names.insert(path.display().to_string());
        }
    }
    names
}

/// Waits until one node is Active, and the other knows that it is not.
fn await_one_owner(cluster: &mut Cluster, after: Duration) {
    let begun = Instant::now();
    loop {
        // One that is starting does not answer yet.
        let active = [PREFERRED, STANDBY].map(|node| cluster.is_active(node).ok().flatten());
        if active.contains(&Some(true)) && active.contains(&Some(false)) {
            return;
        }
        for node in [PREFERRED, STANDBY] {
            cluster.daemon(node).expect_running().unwrap();
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "killed {after:?} after its start: {active:?}\n{}",
            cluster.daemon(PREFERRED).last_words()
        );
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_start_that_is_killed_anywhere_leaves_one_owner_and_a_clean_next_start() {
    let system = System::HaAgent(under_test::agent());
    let mut cluster = Cluster::start(&system, Service::new(1, 1)).unwrap();
    let pins = cluster.lab().node(PREFERRED).pins().to_owned();
    let before = pinned(&pins);
    let prober = Prober::start(cluster.lab(), &cluster.service().sampled()).unwrap();
    sleep(Duration::from_millis(500));
    let from = prober.clock().now();

    for step in 0..STEPS {
        let after = STEP * step;
        cluster.daemon(PREFERRED).kill().unwrap();
        cluster.start_again(PREFERRED).unwrap();
        sleep(after);
        cluster.daemon(PREFERRED).kill().unwrap();
        cluster.start_again(PREFERRED).unwrap();
        await_one_owner(&mut cluster, after);
        assert_eq!(pinned(&pins), before, "killed {after:?} after its start");
    }

    let window = Window {
        from,
        fault: None,
        owner: PREFERRED,
        split: None,
    };
    let report = Report::new(&prober.finish().unwrap(), window);
    println!(
        "{} of {} probes were lost",
        report.probes_lost, report.probes_sent
    );
    assert_eq!(report.dual_answers, 0);
}
