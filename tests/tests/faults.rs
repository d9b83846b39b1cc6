//! The agent killed between any two steps: of a start, of a start over maps of another schema, and of a switchover.
//! What is left is one owner, and nothing that keeps the next start from going on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use ha_agent::fault::Point;
use ha_lab::{
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    probe::Prober,
    report::{Report, Window},
    under_test::{self, Variant},
};

/// How long a start and an election may take together on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(10);
const PROBE_INTERVAL: Duration = Duration::from_millis(10);
/// Longer than a start takes.
const LEASE: Duration = Duration::from_secs(3);

/// The points whose names begin with this; there are some.
fn points(prefix: &str) -> Vec<Point> {
    let all = Point::ALL.iter().copied();
    let points: Vec<_> = all
        .filter(|point| point.name().starts_with(prefix))
        .collect();
    assert!(!points.is_empty(), "{prefix}");
    points
}

/// A lab with probes, in which agents die.
struct Deaths {
    cluster: Cluster,
    prober: Prober,
    /// What is pinned while all is well, without the number of the schema.
    pinned: BTreeSet<String>,
    from: Duration,
}

impl Deaths {
    fn begin(service: Service) -> Self {
        let system = System::HaAgent(under_test::agent());
        let cluster = Cluster::start(&system, service).unwrap();
        let prober = Prober::start(cluster.lab(), &cluster.service().sampled()).unwrap();
        sleep(Duration::from_millis(500));
        Self {
            pinned: pinned(cluster.lab().node(PREFERRED).pins()),
            from: prober.clock().now(),
            cluster,
            prober,
        }
    }

    /// Kills the agent on a node, and starts one there in its place: of this build, which is to die at this point.
    fn replace(&mut self, node: u8, by: Option<Variant>, point: Option<Point>) {
        self.cluster.daemon(node).kill().unwrap();
        self.start(node, by, point);
    }

    fn start(&mut self, node: u8, which: Option<Variant>, point: Option<Point>) {
        let agent = self.cluster.agent_mut(node).unwrap();
        agent.change_program(which);
        agent.set_fault(point.map(Point::name));
        self.cluster.start_again(node).unwrap();
    }

    /// Waits for the death of an agent at a point.
    fn await_death(&mut self, node: u8, point: Point) {
        let died = self.cluster.daemon(node).await_kill(PATIENCE);
        died.unwrap_or_else(|error| panic!("{} was never reached: {error:#}", point.name()));
    }

    /// Waits until the preferred node is Active, and the other knows that it is not.
    fn await_order(&mut self, after: &str) {
        self.await_owner(after, |active| active == [Some(true), Some(false)]);
    }

    /// Waits until one node is Active, whichever, and sees to it that it is the preferred one: who was asked to take
    /// over has bid more.
    fn restore_order(&mut self, after: &str) {
        self.await_owner(after, |active| {
            active.contains(&Some(true)) && active.contains(&Some(false))
        });
        if self.cluster.is_active(STANDBY).unwrap() == Some(true) {
            self.cluster.promote(PREFERRED).unwrap();
        }
        self.await_order(after);
    }

    fn await_owner(&mut self, after: &str, is_it: impl Fn([Option<bool>; 2]) -> bool) {
        let begun = Instant::now();
        loop {
            // One that is starting does not answer yet.
            let active =
                [PREFERRED, STANDBY].map(|node| self.cluster.is_active(node).ok().flatten());
            let pinned = pinned(self.cluster.lab().node(PREFERRED).pins());
            if is_it(active) && pinned == self.pinned {
                return;
            }
            for node in [PREFERRED, STANDBY] {
                self.cluster.daemon(node).expect_running().unwrap();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{after}: {active:?}, pinned {pinned:?}\n{}",
                self.cluster.daemon(PREFERRED).last_words()
            );
            sleep(GLANCE);
        }
    }

    fn finish(self) {
        let window = Window {
            from: self.from,
            fault: None,
            owner: PREFERRED,
            split: None,
        };
        let report = Report::new(&self.prober.finish().unwrap(), window);
        println!(
            "{} of {} probes were lost",
            report.probes_lost, report.probes_sent
        );
        assert_eq!(report.dual_answers, 0);
    }
}

/// Names of everything that is pinned below a directory. What lies in that of one schema counts as `*/`, and two of
/// these are one too many.
fn pinned(directory: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut schemas = 0;
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // It may go away at this moment.
        let Ok(inside) = fs::read_dir(entry.path()) else {
            names.insert(name);
            continue;
        };
        schemas += 1;
        let inside = inside.flatten();
        names.extend(inside.map(|pin| format!("*/{}", pin.file_name().to_string_lossy())));
    }
    names.insert(format!("{schemas} schemas"));
    names
}

/// Has each point of a start of the variant be the last one of an agent, over the ordinary one. The two follow in turn;
/// `first` says who does after the first point.
fn die_at(points: &[Point], variant: Variant, first: Option<Variant>) {
    // Otherwise a busy machine decides whether there is a lease to go on with, and so what is on the way of a start.
    let mut deaths = Deaths::begin(Service {
        liveness: Some(PROBE_INTERVAL),
        lease: LEASE,
        ..Service::new(1, 1)
    });
    let mut next = first;
    for point in points {
        let after = format!("killed at {}, then {next:?}", point.name());
        deaths.replace(PREFERRED, Some(variant), Some(*point));
        deaths.await_death(PREFERRED, *point);
        deaths.start(PREFERRED, next, None);
        deaths.await_order(&after);
        if next.is_some() {
            deaths.replace(PREFERRED, None, None);
            deaths.await_order(&after);
        }
        next = match next {
            None => Some(variant),
            Some(_) => None,
        };
    }
    deaths.finish();
}

#[test]
fn a_start_that_dies_between_two_steps() {
    die_at(&points("start."), Variant::Program, None);
}

#[test]
fn a_start_that_dies_and_is_followed_by_the_other_build() {
    die_at(&points("start."), Variant::Program, Some(Variant::Program));
}

#[test]
fn a_change_of_schema_that_dies_between_two_steps() {
    die_at(&points("schema."), Variant::Schema, None);
}

#[test]
fn a_change_of_schema_that_dies_and_is_followed_by_the_other_build() {
    die_at(&points("schema."), Variant::Schema, Some(Variant::Schema));
}

#[test]
fn a_switchover_that_dies_between_two_steps() {
    // The heir is known, so that the owner lets settle what it has begun.
    let mut deaths = Deaths::begin(Service {
        liveness: Some(PROBE_INTERVAL),
        ..Service::new(1, 1)
    });
    let owners = points("owner.").into_iter().map(|point| (PREFERRED, point));
    let heirs = points("heir.").into_iter().map(|point| (STANDBY, point));
    for (node, point) in owners.chain(heirs) {
        deaths.replace(node, Some(Variant::Program), Some(point));
        deaths.await_order(point.name());
        // It may not come to an answer.
        let _ = deaths.cluster.switch_over(PREFERRED);
        deaths.await_death(node, point);
        deaths.start(node, None, None);
        deaths.restore_order(&format!("killed at {}", point.name()));
    }
    deaths.finish();
}
