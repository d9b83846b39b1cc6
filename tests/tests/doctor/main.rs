//! `ha-agent doctor` on hosts that are wrong in one way after the other, each of which it must find, and of
//! which it must find nothing any more after the command that it printed.
//!
//! Takes the built agent and root. `cargo xtask test doctor` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod patient;
mod wrongs;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;
use ha_agent::doctor::{CHECKS, Shown};
use ha_lab::{
    agent::{Agent, Setup, peer},
    cluster::Service,
    command,
    lab::Lab,
    polling, second, under_test,
};

use patient::{Patient, Said};
use wrongs::{WRONGS, Wrong};

const LIMIT: Duration = Duration::from_secs(10);
const DIRECTLY: &str = "exec \"$@\"";
/// The virtual MAC of the lab's service.
const VIRTUAL_MAC: &str = "00:00:5e:00:01:33";

fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a group on a VLAN and a peer, so that all checks have something to look at.
fn start(program: &Path, lab: &Lab) -> Agent {
    let service = Service::new(2, 2);
    let vlan = "[[group]]\nname = \"tagged\"\ninterface = \"eth0\"\nvlan = [10]\n\
                vips = [\"10.77.65.1\"]\nelection = { type = \"vrrp\", vrid = 52 }\n";
    let setup = Setup {
        tables: peer(lab.node(1), Duration::from_millis(10)) + vlan,
        ..Setup::new(&service, 200)
    };
    let agent = Agent::start_as(program, lab.node(0), &setup).unwrap();
    let begun = Instant::now();
    while !agent.is_active().unwrap_or(false) {
        assert!(begun.elapsed() < LIMIT, "not Active within {LIMIT:?}");
        sleep(Duration::from_millis(10));
    }
    agent
}

/// The doctor's host, with the configuration of an agent that has gone and left nothing.
fn patient<'a>(program: &Path, lab: &'a Lab) -> Result<Patient<'a>> {
    let patient = Patient::new(lab, program, lab.node(0).dir().join("ha-agent.toml"));
    patient.treat()?;
    let mut agent = start(program, lab);
    agent.daemon().stop(LIMIT)?;
    let mut detach = patient.namespace().command(program)?;
    detach.arg("--pin-dir").arg(lab.node(0).pins());
    command::run(detach.args(["detach", "--all"]))?;
    Ok(patient)
}

/// Asserts that this is found, and nothing else but what others may find of it.
fn is_found(said: &Said, wrong: &Wrong) {
    let Wrong { check, level, .. } = wrong;
    let found = said
        .of(check)
        .find(|finding| finding.level == *level && finding.subject == wrong.subject);
    let Some(finding) = found else {
        panic!("{check} does not find {:?}: {said:#?}", wrong.by);
    };
    for text in [&finding.seen, &finding.meaning, &finding.mend] {
        assert!(!text.is_empty(), "{finding:?}");
    }
    let foreign = said
        .wrong()
        .find(|finding| finding.check != *check && !wrong.others.contains(&finding.check.as_str()));
    assert!(
        foreign.is_none(),
        "{:?} is found by {foreign:#?} too",
        wrong.by
    );
}

/// Does what the doctor says.
fn mend(patient: &Patient<'_>, said: &Said, check: &str) {
    let mends: BTreeSet<&str> = said
        .of(check)
        .map(|finding| finding.mend.as_str())
        .collect();
    for line in mends {
        patient.run(&[line]).unwrap();
    }
}

#[test]
fn every_wrong_is_found_and_mended() {
    let _alone = one_at_a_time();
    let program = under_test::agent();
    let lab = Lab::create(&["a", "b"]).unwrap();
    let patient = patient(&program, &lab).unwrap();
    let well = patient.is_well().unwrap();
    let named: BTreeSet<&str> = well.findings.iter().map(|f| f.check.as_str()).collect();
    assert_eq!(named, CHECKS.iter().map(|check| check.name).collect());

    let mut shown = BTreeSet::new();
    for wrong in WRONGS {
        patient.run(wrong.by).unwrap();
        let said = patient.examine(wrong.through).unwrap();
        is_found(&said, wrong);
        shown.insert(wrong.check);
        if wrong.mends {
            mend(&patient, &said, wrong.check);
            let still = patient.examine(DIRECTLY).unwrap();
            assert_eq!(still.of(wrong.check).count(), 0, "not mended: {still:#?}");
        }
        patient.run(wrong.then).unwrap();
        patient.is_well().unwrap();
    }
    shown.extend(a_foreign_program(&patient));
    shown.extend(a_bad_cable(&program, &lab));
    shown.extend(a_closed_filter(&program, &patient));
    shown.extend(a_second_nic(&program));

    let of_lab = CHECKS.iter().filter(|check| check.shown == Shown::Lab);
    let all: BTreeSet<&str> = of_lab.map(|check| check.name).collect();
    assert_eq!(shown, all, "each check must be shown failing");
}

fn a_foreign_program(patient: &Patient<'_>) -> [&'static str; 1] {
    let program = polling::let_through(patient.namespace(), "eth0").unwrap();
    let said = patient.examine(DIRECTLY).unwrap();
    let found: Vec<_> = said.of("programs").collect();
    assert_eq!(found.len(), 1, "{said:#?}");
    assert_eq!(found[0].level, "failure");
    mend(patient, &said, "programs");
    patient.is_well().unwrap();
    drop(program);
    ["programs"]
}

/// One end of a veth pair: too few queues, then no program at its other end.
fn a_bad_cable(program: &Path, lab: &Lab) -> [&'static str; 2] {
    let node = lab.node(0);
    let config = "[node]\nname = \"a\"\n[[interface]]\nname = \"v0\"\n[[group]]\nname = \"cable\"\n\
                  interface = \"v0\"\nmac = \"interface\"\nvips = [\"192.0.2.10\"]\n\
                  election = { type = \"manual\" }\n";
    let config = node.write("cable.toml", config).unwrap();
    let patient = Patient::new(lab, program, config);
    let other_end = polling::let_through(node.namespace(), "v1").unwrap();
    patient.is_well().unwrap();

    patient.run(&["ethtool -L v0 rx 1"]).unwrap();
    let said = patient.examine(DIRECTLY).unwrap();
    assert_eq!(said.of("queues").next().unwrap().level, "failure");
    mend(&patient, &said, "queues");
    patient.is_well().unwrap();

    drop(other_end);
    let said = patient.examine(DIRECTLY).unwrap();
    assert_eq!(said.of("driver").next().unwrap().level, "failure");
    assert_eq!(said.wrong().count(), 1, "{said:#?}");
    // The kernel itself is asked here, and leaves no trace.
    let said = patient.examine("exec \"$@\" --attach").unwrap();
    assert_eq!(said.wrong().count(), 1, "{said:#?}");
    let _other_end = polling::let_through(node.namespace(), "v1").unwrap();
    let said = patient.examine("exec \"$@\" --attach").unwrap();
    let driver = said
        .findings
        .iter()
        .find(|finding| finding.check == "driver");
    assert!(
        driver.unwrap().seen.contains("took a program"),
        "{driver:?}"
    );
    patient.is_well().unwrap();
    ["queues", "driver"]
}

/// A NIC on which a group may be served, but is not.
fn a_second_nic(program: &Path) -> [&'static str; 1] {
    let lab = Lab::create(&["a", "b"]).unwrap();
    let _port = lab.add_second(0).unwrap();
    let node = lab.node(0);
    let group = "[node]\nname = \"a\"\n[[interface]]\nname = \"eth0\"\n[[group]]\nname = \"lab\"\n\
                 interface = \"eth0\"\nmac = \"interface\"\nvips = [\"10.77.64.1\", \"fd77::1:1\"]\n\
                 election = { type = \"vrrp\", vrid = 51 }\n";
    let rest = second::tables(&lab, 0, Duration::from_millis(10), "");
    let config = node.write("second.toml", &format!("{group}{rest}"));
    let patient = Patient::new(&lab, program, config.unwrap());
    patient.treat().unwrap();
    patient.run(&["ethtool -K eth1 tx off"]).unwrap();
    patient.is_well().unwrap();

    let parameter = "ignore_routes_with_linkdown";
    let of_all = format!("sysctl -qw net.ipv4.conf.all.{parameter}=0");
    for (family, interface) in [("ipv4", "eth1"), ("ipv6", "eth0")] {
        let own = format!("sysctl -qw net.{family}.conf.{interface}.{parameter}=0");
        patient.run(&[of_all.as_str(), &own]).unwrap();
        let said = patient.examine(DIRECTLY).unwrap();
        let found: Vec<_> = said.wrong().collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        let [check, subject, level] = [&found[0].check, &found[0].subject, &found[0].level];
        assert_eq!(
            [check.as_str(), subject, level],
            ["linkdown", interface, "warning"]
        );
        mend(&patient, &said, "linkdown");
        patient.is_well().unwrap();
    }

    // What others look at is looked at there, too.
    patient
        .run(&["ip address del 10.77.0.11/16 dev eth1"])
        .unwrap();
    let said = patient.examine(DIRECTLY).unwrap();
    let mut found = said.of("interface");
    assert!(found.any(|finding| finding.subject == "eth1"), "{said:#?}");
    ["linkdown"]
}

/// A filter that a NIC has lost an entry of, and one before the NIC.
fn a_closed_filter(program: &Path, patient: &Patient<'_>) -> [&'static str; 1] {
    let mut agent = start(program, patient.lab);
    patient.is_well().unwrap();
    let line = format!("bridge fdb del {VIRTUAL_MAC} dev eth0 self");
    patient.run(&[line.as_str()]).unwrap();
    let said = patient.examine(DIRECTLY).unwrap();
    assert_eq!(said.of("filter").next().unwrap().level, "failure");
    mend(patient, &said, "filter");
    patient.is_well().unwrap();

    let solicited = "33:33:ff:01:00:01";
    for (mac, level) in [(VIRTUAL_MAC, "failure"), (solicited, "failure")] {
        nft(
            patient,
            &format!(
                "add table bridge lab\n\
                 add chain bridge lab closed {{ type filter hook forward priority 0; }}\n\
                 add rule bridge lab closed oifname \"a\" ether daddr {mac} drop\n"
            ),
        );
        let said = patient.examine(DIRECTLY).unwrap();
        let found: Vec<_> = said.wrong().collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].check.as_str(), found[0].level.as_str()),
            ("filter", level)
        );
        assert!(found[0].seen.contains(mac), "{found:?}");
        nft(patient, "delete table bridge lab\n");
        patient.is_well().unwrap();
    }
    agent.daemon().stop(LIMIT).unwrap();
    ["filter"]
}

fn nft(patient: &Patient<'_>, rules: &str) {
    let mut nft = patient.lab.switch().command("nft").unwrap();
    command::run_with_input(nft.args(["-f", "-"]), rules).unwrap();
}

#[test]
fn an_agent_is_not_disturbed() {
    let _alone = one_at_a_time();
    let program = under_test::agent();
    let lab = Lab::create(&["a", "b"]).unwrap();
    let patient = patient(&program, &lab).unwrap();
    let mut agent = start(&program, &lab);
    let attached = |patient: &Patient<'_>| {
        let mut ip = patient.namespace().command("ip").unwrap();
        command::run(ip.args(["-details", "link", "show", "dev", "eth0"])).unwrap()
    };
    let (before, roles) = (attached(&patient), agent.role_changes().unwrap());
    assert!(before.contains("prog/xdp id"), "{before}");
    for through in [DIRECTLY, "exec \"$@\" --attach"] {
        assert_eq!(
            patient.is_well().unwrap().status,
            patient.examine(through).unwrap().status
        );
    }
    assert_eq!(attached(&patient), before);
    assert_eq!(agent.role_changes().unwrap(), roles);
    assert!(agent.is_active().unwrap());

    // What it has left behind is its own, and the place is not taken by somebody else.
    agent.daemon().stop(LIMIT).unwrap();
    patient.is_well().unwrap();
    assert_eq!(attached(&patient), before);
}
