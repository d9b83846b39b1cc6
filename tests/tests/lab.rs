//! The lab itself: that it sees what it is there to see, with addresses that the kernel owns.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    panic,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::Duration,
};

use ha_lab::{
    address,
    cluster::System,
    command::{self, ip_batch},
    daemon::Daemon,
    echo::Echo,
    lab::Lab,
    node::INTERFACE,
    probe::{Kind, Prober, Track},
    report::{Report, Window},
    scenario,
};

const A: u8 = 0;
const B: u8 = 1;

/// Two labs at a time would take each other's processor time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LAB: Mutex<()> = Mutex::new(());
    LAB.lock().unwrap_or_else(PoisonError::into_inner)
}

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

/// Gives the virtual IPs to a node's kernel.
fn own(lab: &Lab, node: u8) {
    let commands: String = vips()
        .iter()
        .map(|vip| format!("addr add {vip} dev {INTERFACE} nodad\n"))
        .collect();
    ip_batch(lab.node(node).namespace().name(), &commands).unwrap();
}

/// Probes while `happen` lasts.
fn measure(lab: &Lab, happen: impl FnOnce(&Prober)) -> (Vec<Track>, Report) {
    let _echoes = [A, B].map(|node| Echo::start(lab.node(node), &vips()).unwrap());
    let prober = Prober::start(lab, &vips()).unwrap();
    sleep(Duration::from_millis(200));
    let from = prober.clock().now();
    happen(&prober);
    let tracks = prober.finish().unwrap();
    let window = Window {
        from,
        fault: Some(from),
        owner: A,
        split: None,
    };
    let report = Report::new(&tracks, window);
    (tracks, report)
}

#[test]
fn one_owner_answers_every_probe_and_is_named() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a", "b"]).unwrap();
    own(&lab, A);
    let (tracks, report) = measure(&lab, |prober| {
        sleep(Duration::from_secs(1));
        assert_eq!(prober.last_owner(), Some(A));
    });

    let kinds: BTreeSet<Kind> = tracks.iter().map(|track| track.kind).collect();
    let all = [Kind::Udp, Kind::Tcp, Kind::Icmp, Kind::Arp, Kind::Ns];
    assert_eq!(kinds, BTreeSet::from(all));
    assert_eq!(
        tracks.len(),
        8,
        "UDP, TCP and ICMP to two addresses, ARP and ND"
    );
    for track in &tracks {
        let sent = track.probes.len();
        assert!(sent > 1_000, "{:?} sent {sent}", track.kind);
        assert!(
            track.probes.iter().all(|probe| {
                probe.answered() && probe.owners.contains(A) && probe.owners.len() == 1
            }),
            "{:?} to {} was not answered by node a, always",
            track.kind,
            track.target
        );
    }
    assert_eq!((report.probes_lost, report.dual_answers), (0, 0));
    assert_eq!(report.takeover_ms, None);
}

#[test]
fn two_owners_are_seen() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a", "b"]).unwrap();
    own(&lab, A);
    own(&lab, B);
    let (_, report) = measure(&lab, |_| sleep(Duration::from_millis(500)));

    for track in &report.by_probe {
        let everybody_hears_it = matches!(track.kind, Kind::Arp | Kind::Ns);
        if everybody_hears_it {
            assert_eq!(track.dual_answers, track.probes_sent, "{:?}", track.kind);
        }
    }
    assert!(report.dual_answers >= 1_000);
}

#[test]
fn two_owners_are_seen_even_if_they_share_a_mac() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a", "b"]).unwrap();
    for node in [A, B] {
        // As with a virtual MAC: word for word the same answers.
        ip_batch(
            lab.node(node).namespace().name(),
            &format!("link set dev {INTERFACE} address 00:00:5e:00:01:33\n"),
        )
        .unwrap();
        own(&lab, node);
    }
    let (tracks, _) = measure(&lab, |_| sleep(Duration::from_millis(500)));

    for track in tracks {
        if matches!(track.kind, Kind::Arp | Kind::Ns) {
            let both = track.probes.iter().filter(|probe| probe.owners.len() == 2);
            assert_eq!(both.count(), track.probes.len(), "{:?}", track.kind);
        }
    }
}

#[test]
fn an_unplugged_owner_is_a_loss_until_another_one_comes() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a", "b"]).unwrap();
    own(&lab, A);
    let (_, report) = measure(&lab, |prober| {
        lab.unplug(A).unwrap();
        sleep(Duration::from_millis(300));
        own(&lab, B);
        // The client's neighbour entry still has the MAC of node a.
        ip_batch(
            lab.client().name(),
            &format!("neigh flush dev {INTERFACE}\n"),
        )
        .unwrap();
        sleep(Duration::from_millis(300));
        assert_eq!(prober.last_owner(), Some(B));
    });

    for track in &report.by_probe {
        assert!(
            (250.0..600.0).contains(&track.outage_ms),
            "{:?}: {} ms",
            track.kind,
            track.outage_ms
        );
    }
    assert!(report.probes_lost > 8 * 250);
    assert!(report.takeover_ms.is_some_and(|takeover| takeover >= 300.0));
    assert_eq!(report.dual_answers, 0);
}

#[test]
fn a_node_that_is_plugged_in_again_answers_again() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a", "b"]).unwrap();
    own(&lab, A);
    let (tracks, _) = measure(&lab, |_| {
        lab.unplug(A).unwrap();
        sleep(Duration::from_millis(100));
        lab.plug_in(A).unwrap();
        sleep(Duration::from_millis(1500));
    });
    for track in &tracks {
        let last = track.probes.last().unwrap();
        assert!(last.answered(), "{:?} to {}", track.kind, track.target);
    }
}

#[test]
fn a_daemon_is_frozen_thawed_and_killed_with_its_children() {
    let _alone = one_at_a_time();
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(A);
    let mut command = node.namespace().command("sh").unwrap();
    // Counts in a child, so that the signal must reach the group.
    command.args(["-c", "(while :; do echo tick; sleep 0.01; done); true"]);
    let log = node.dir().join("ticks");
    let mut daemon = Daemon::start("ticker", command, &log).unwrap();
    let ticks_in = |time: u64| {
        let before = fs::metadata(&log).unwrap().len();
        sleep(Duration::from_millis(time));
        fs::metadata(&log).unwrap().len() - before
    };

    assert!(ticks_in(300) > 0);
    daemon.freeze().unwrap();
    sleep(Duration::from_millis(50));
    assert_eq!(ticks_in(300), 0);
    daemon.thaw().unwrap();
    assert!(ticks_in(300) > 0);
    daemon.kill().unwrap();
    sleep(Duration::from_millis(50));
    assert_eq!(ticks_in(300), 0);
    let error = daemon.freeze().unwrap_err().to_string();
    assert!(error.contains("ended by itself"), "{error}");
}

#[test]
fn a_killed_keepalived_leaves_two_owners_and_the_scenario_sees_it() {
    let _alone = one_at_a_time();
    let scenario = scenario::find("agent-killed-adverts").unwrap();
    let outcome = scenario.run(&System::Keepalived, &mut |_| ()).unwrap();
    assert!(outcome.report.dual_answers > 1_000, "{:?}", outcome.report);
    assert!(
        !scenario
            .promise
            .broken(&outcome.report, &outcome.account)
            .is_empty()
    );
    assert!(outcome.broken.is_empty(), "nothing is promised for it");
}

/// Everything in the system that carries the name of a lab of this process.
fn leftovers() -> Vec<String> {
    let own = format!("ha-lab-{}-", std::process::id());
    [
        "/run/netns",
        "/sys/fs/bpf",
        std::env::temp_dir().to_str().unwrap(),
    ]
    .iter()
    .flat_map(|dir| fs::read_dir(dir).into_iter().flatten().flatten())
    .map(|entry| entry.file_name().to_string_lossy().into_owned())
    .filter(|name| name.starts_with(&own))
    .collect()
}

#[test]
fn nothing_is_left_after_a_panic_but_the_evidence() {
    let _alone = one_at_a_time();
    let mut child_pid = None;
    let panicked = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        let mut lab = Lab::create(&["a", "b"]).unwrap();
        lab.capture().unwrap();
        let mut command = lab.node(A).namespace().command("sleep").unwrap();
        command.arg("600");
        let log = lab.node(A).dir().join("sleep.log");
        let _daemon = Daemon::start("sleep", command, &log).unwrap();
        child_pid = pid_of("sleep 600 ", std::process::id());
        assert!(!leftovers().is_empty());
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(leftovers(), Vec::<String>::new());
    let pid = child_pid.expect("the daemon was running");
    assert!(!Path::new(&format!("/proc/{pid}")).exists());

    let kept = format!("kept-ha-lab-{}-", std::process::id());
    let evidence: Vec<_> = fs::read_dir(std::env::temp_dir())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&kept))
        .collect();
    let [evidence] = evidence.as_slice() else {
        panic!("kept: {evidence:?}");
    };
    assert!(evidence.path().join("a/sleep.log").exists());
    assert!(evidence.path().join("a.pcap").exists());
    fs::remove_dir_all(evidence.path()).unwrap();
}

/// The child of `parent` with this command line.
fn pid_of(command_line: &str, parent: u32) -> Option<u32> {
    let children = fs::read_dir("/proc").unwrap().flatten();
    children
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid: &u32| {
            let read = |file| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
            read("cmdline").replace('\0', " ") == command_line
                && read("status").contains(&format!("PPid:\t{parent}\n"))
        })
}

#[test]
fn what_a_killed_lab_left_is_swept_up_by_the_next() {
    let _alone = one_at_a_time();
    // Above the largest process id that the kernel gives.
    let dead = "ha-lab-4194305-0";
    let mut netns = Command::new("ip");
    command::run(netns.args(["netns", "add", &format!("{dead}-switch")])).unwrap();
    let pins = Path::new("/sys/fs/bpf").join(dead);
    let files = std::env::temp_dir().join(dead);
    fs::create_dir_all(pins.join("a")).unwrap();
    fs::create_dir_all(files.join("a")).unwrap();

    let _lab = Lab::create(&[]).unwrap();
    assert!(
        !Path::new("/run/netns")
            .join(format!("{dead}-switch"))
            .exists()
    );
    assert!(!pins.exists());
    assert!(!files.exists());
}

#[test]
fn an_interrupted_lab_removes_itself() {
    let _alone = one_at_a_time();
    // The test runs itself as the process to interrupt.
    const INNER: &str = "HA_LAB_TEST_INTERRUPTED";
    if std::env::var_os(INNER).is_some() {
        let _lab = Lab::create(&["a"]).unwrap();
        println!("ready");
        sleep(Duration::from_secs(60));
        return;
    }
    let mut inner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "an_interrupted_lab_removes_itself",
            "--nocapture",
        ])
        .env(INNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let prefix = format!("ha-lab-{}-", inner.id());
    let exists = || {
        fs::read_dir("/run/netns").is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .contains(&prefix)
            })
        })
    };
    for _ in 0..500 {
        if exists() {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    assert!(exists());
    // Long enough for the lab to be complete, and short enough if it is not.
    sleep(Duration::from_millis(300));
    let pid = nix::unistd::Pid::from_raw(inner.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(inner.wait().unwrap().code(), Some(130));
    assert!(!exists());
}
