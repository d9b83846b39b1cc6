//! Each row: what is replaced in the file, and the plan that follows, a line each.

use std::{net::IpAddr, path::Path};

use super::{Difference, Fate, difference};
use crate::config::Config;

const OLD: &str = r#"[node]
name = "alpha"

[[interface]]
name = "eth0"

[[interface]]
name = "eth1"

[[peer]]
name = "beta"
paths = [{ interface = "eth0", address = "10.0.0.2" }]

[[bfd]]
name = "uplink"
interface = "eth1"
address = "10.1.0.1"

[[check]]
name = "uplink"
type = "bfd"
session = "uplink"

[[group]]
name = "web"
interface = "eth0"
vips = ["192.0.2.10", "192.0.2.11"]
track = [{ check = "uplink" }]

[group.election]
type = "vrrp"
vrid = 51

[[group]]
name = "db"
interface = "eth0"
vips = ["192.0.2.20"]

[group.election]
type = "vrrp"
vrid = 52
"#;

const SYNC: &str = "\n[[sync]]\nname = \"both\"\ngroups = [\"web\", \"db\"]\n";

/// What is replaced in the file, and the plan.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("ha.toml")).unwrap_or_else(|invalid| panic!("{invalid}\n{text}"))
}

fn with(changes: &[(&str, &str)]) -> Config {
    let text = changes.iter().fold(OLD.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the file has no {from:?}");
        text.replacen(from, to, 1)
    });
    parse(&text)
}

fn running(config: &Config) -> Vec<Vec<IpAddr>> {
    let groups = config.groups.iter();
    groups.map(|group| group.vips.clone()).collect()
}

fn between(old: &Config, new: &Config) -> Difference {
    difference(old, &running(old), new)
}

fn lines(found: &Difference) -> Vec<String> {
    found.changes.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_follows_from_nothing() {
    let found = between(&parse(OLD), &parse(OLD));
    assert_eq!(lines(&found), [""; 0]);
    assert_eq!(found.restart, [""; 0]);
    assert_eq!(found.removed, [0; 0]);
    let kept = |from| Fate::Kept {
        from,
        is_changed: false,
    };
    assert_eq!(found.groups, [kept(0), kept(1)]);
}

#[test]
fn on_an_interface_that_was_made_again_all_begins_anew_and_nothing_elsewhere() {
    let config = with(&[("eth0\"\nvips", "eth1\"\nvips")]);
    let mut found = between(&config, &config);
    found.renew(&config, &["eth0".to_owned()].into(), &[]);
    assert_eq!(found.groups[1], Fate::Renewed { from: 1 });
    assert!(matches!(found.groups[0], Fate::Kept { .. }));
    let expected = [
        "! interface eth0: released, then begun anew: it was removed and is back",
        "! group db: released, then begun anew: eth0 is another one",
    ];
    assert_eq!(lines(&found), expected);
}

/// From where the group `db` begins.
fn db() -> &'static str {
    &OLD[OLD.find("[[group]]\nname = \"db\"").unwrap()..]
}

#[test]
fn each_change_has_its_line() {
    let added = format!(
        "{}\n[[group]]\nname = \"mail\"\ninterface = \"eth1\"\nvips = [\"10.1.0.9\"]\n\
         [group.election]\ntype = \"vrrp\"\nvrid = 60\n",
        db()
    );
    let synced = format!("{}{SYNC}", db());
    let rows: [Row<'_>; 22] = [
        (
            &[("vrid = 51", "vrid = 51\npriority = 150")],
            &["~ group web: changed in place: priority 100 → 150"],
        ),
        (
            &[("192.0.2.11", "192.0.2.12")],
            &[
                "~ group web: changed in place: virtual IPs added: 192.0.2.12, virtual IPs removed: \
               192.0.2.11",
            ],
        ),
        (
            &[("\"192.0.2.11\"", "\"192.0.2.11-192.0.2.17\"")],
            &[
                "~ group web: changed in place: virtual IPs added: 192.0.2.12 192.0.2.13 192.0.2.14 \
               192.0.2.15 and 2 more",
            ],
        ),
        (
            &[("vrid = 51", "vrid = 53")],
            &[
                "! group web: released, then begun anew: mac virtual (51) → virtual (53), vrid 51 → 53",
            ],
        ),
        (
            &[(
                "vips = [\"192.0.2.20\"]",
                "vips = [\"192.0.2.20\"]\nmac = \"interface\"",
            )],
            &["! group db: released, then begun anew: mac virtual (52) → interface"],
        ),
        (
            &[(
                "interface = \"eth0\"\nvips = [\"192.0.2.20",
                "interface = \"eth1\"\nvips = [\"192.0.2.20",
            )],
            &["! group db: released, then begun anew: interface eth0 → eth1"],
        ),
        (
            &[(
                "vips = [\"192.0.2.20\"]",
                "vips = [\"192.0.2.20\"]\nvlan = [7]",
            )],
            &["! group db: released, then begun anew: vlan none → 7"],
        ),
        (
            &[(
                "vips = [\"192.0.2.20\"]",
                "vips = [\"192.0.2.20\"]\nstale = \"drop\"\nrouter = true",
            )],
            &["~ group db: changed in place: stale forward → drop, router false → true"],
        ),
        (
            &[(
                "vips = [\"192.0.2.20\"]",
                "vips = [\"192.0.2.20\"]\nmac_fallback = \"interface\"",
            )],
            &["~ group db: changed in place: mac_fallback none → interface"],
        ),
        (
            &[(
                "track = [{ check = \"uplink\" }]",
                "track = [{ check = \"uplink\", weight = -7 }]",
            )],
            &["~ group web: changed in place: track uplink → uplink (-7)"],
        ),
        (
            &[(
                "vrid = 52",
                "vrid = 52\npeers = [\"10.0.0.2\"]\npreempt = false",
            )],
            &["~ group db: changed in place: preempt true → false, peers multicast → 10.0.0.2"],
        ),
        (&[(db(), "")], &["- group db: removed"]),
        (&[(db(), &added)], &["+ group mail: added: 1 virtual IPs"]),
        (&[(db(), &synced)], &["+ sync both: added"]),
        (
            &[(
                "address = \"10.0.0.2\" }]",
                "address = \"10.0.0.3\" }]\nmultiplier = 5",
            )],
            &[
                "~ peer beta: changed in place: paths 10.0.0.2 over eth0 → 10.0.0.3 over eth0, \
               multiplier 3 → 5",
            ],
        ),
        (
            &[(
                "[[bfd]]",
                "[[peer]]\nname = \"gamma\"\npaths = [{ interface = \"eth0\", address = \"10.0.0.3\" }]\n[[bfd]]",
            )],
            &[
                "+ peer gamma: added",
                "~ group web: changed in place: contention 0s → 12ms500us",
                "~ group db: changed in place: contention 0s → 12ms500us",
            ],
        ),
        (
            &[(
                "[[bfd]]",
                "[witness]\nping = \"10.0.0.254\"\ninterface = \"eth0\"\n[[bfd]]",
            )],
            &["+ witness 10.0.0.254 over eth0: added"],
        ),
        (
            &[("session = \"uplink\"", "session = \"uplink\"\nfall = 3")],
            &["~ check uplink: changed in place: fall 1 → 3, it looks anew"],
        ),
        (
            &[("address = \"10.1.0.1\"", "address = \"10.1.0.2\"")],
            &[
                "~ bfd uplink: changed in place: address 10.1.0.1 → 10.1.0.2, the session begins anew",
            ],
        ),
        (
            &[(
                "[[peer]]",
                "[[interface]]\nname = \"eth2\"\n\n[announce]\nrepeats = 5\n\n[[peer]]",
            )],
            &[
                "~ announce: changed in place: repeats 3 → 5",
                "+ interface eth2: added",
            ],
        ),
        (
            &[("name = \"alpha\"", "name = \"alpha\"\nlease = \"150ms\"")],
            &[
                "~ node: changed in place: lease 200ms → 150ms",
                "~ group web: changed in place: yield_grace 300ms → 250ms",
                "~ group db: changed in place: yield_grace 300ms → 250ms",
            ],
        ),
        (
            &[("vrid = 51", "vrid = 51\nadvert_interval = \"200ms\"")],
            &[
                "~ group web: changed in place: advert_interval 100ms → 200ms, yield_grace 300ms → 400ms",
            ],
        ),
    ];
    for (changes, plan) in rows {
        let found = between(&parse(OLD), &with(changes));
        assert_eq!(lines(&found), plan, "{changes:?}");
        assert_eq!(found.restart, [""; 0], "{changes:?}");
    }
}

#[test]
fn what_is_pinged_changes_in_place_and_where_a_group_may_be_served_does_not() {
    let local = |keys: &str| {
        let keys = format!("vrid = 52\n[group.local]\nfallback = [\"eth1\"]\n{keys}\n");
        with(&[("vrid = 52\n", &keys)])
    };
    let pinged = local("ping = [\"10.0.0.254\"]");
    for (old, new, plan) in [
        (
            local(""),
            pinged.clone(),
            "~ group db: changed in place: local.ping none → 10.0.0.254 each 1s x 3",
        ),
        (
            pinged,
            local("ping = [\"10.0.0.254\", \"10.0.0.253\"]\nping_fall = 2"),
            "~ group db: changed in place: local.ping 10.0.0.254 each 1s x 3 → 10.0.0.254 10.0.0.253 each 1s x 2",
        ),
        (
            local(""),
            local("return = \"never\""),
            "! group db: released, then begun anew: local eth1, returns after 5s → eth1, stays",
        ),
    ] {
        assert_eq!(lines(&between(&old, &new)), [plan]);
    }
}

#[test]
fn places_mean_nothing() {
    let first = OLD.find("[[group]]\nname = \"web\"").unwrap();
    let second = OLD.find("[[group]]\nname = \"db\"").unwrap();
    let (head, web, db) = (&OLD[..first], &OLD[first..second], &OLD[second..]);
    let old = parse(&format!("{OLD}{SYNC}"));
    let new = parse(&format!("{head}{db}{web}{SYNC}"));
    let found = between(&old, &new);
    assert_eq!(lines(&found), [""; 0]);
    let from = |fate: &Fate| match fate {
        Fate::Kept { from, .. } => Some(*from),
        Fate::Added | Fate::Renewed { .. } => None,
    };
    let from: Vec<_> = found.groups.iter().map(from).collect();
    assert_eq!(from, [Some(1), Some(0)]);
}

#[test]
fn what_is_read_at_a_start_only_is_said() {
    for (from, to, told) in [
        ("name = \"alpha\"", "name = \"a\"", "node.name alpha → a"),
        (
            "name = \"alpha\"",
            "name = \"alpha\"\npin_dir = \"/sys/fs/bpf/x\"",
            "node.pin_dir /sys/fs/bpf/ha → /sys/fs/bpf/x",
        ),
        (
            "name = \"alpha\"",
            "name = \"alpha\"\non_exit = \"release\"",
            "node.on_exit hold → release",
        ),
        (
            "[[peer]]",
            "[control]\nsocket = \"/run/x\"\n[[peer]]",
            "control.socket /run/ha-agent/control.sock → /run/x",
        ),
        (
            "[[peer]]",
            "[control]\ngroup = \"wheel\"\n[[peer]]",
            "control.group none → wheel",
        ),
        (
            "[[peer]]",
            "[log]\nfilter = \"debug\"\n[[peer]]",
            "log.filter info → debug",
        ),
        (
            "name = \"eth1\"\n",
            "name = \"eth1\"\nmode = \"generic\"\n",
            "interface.eth1.mode native → generic",
        ),
        (
            "vips = [\"192.0.2.20\"]",
            "vips = [\"192.0.2.20\"]\ndeliver = { guest = \"tap0\", mac = \"52:54:00:00:00:01\" }",
            "group.db.deliver differs",
        ),
    ] {
        let found = between(&parse(OLD), &with(&[(from, to)]));
        assert_eq!(found.restart, [told]);
    }
}

#[test]
fn what_may_be_done_to_an_interface_is_changed_in_place() {
    let found = between(
        &parse(OLD),
        &with(&[(
            "name = \"eth1\"\n",
            "name = \"eth1\"\nvlan_offload = \"off\"\n",
        )]),
    );
    assert!(found.restart.is_empty());
    let [change] = &found.changes[..] else {
        panic!("{found:?}");
    };
    assert_eq!(change.details, ["vlan_offload keep → off"]);
}

#[test]
fn the_file_wins_over_what_was_changed_at_run_time() {
    let config = parse(OLD);
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let mut now = running(&config);
    now[0] = vec![ip("192.0.2.10"), ip("192.0.2.99")];
    let found = difference(&config, &now, &config);
    assert_eq!(
        lines(&found),
        [
            "~ group web: changed in place: virtual IPs added again, which were removed at run time: \
             192.0.2.11, virtual IPs removed, which were added at run time and are not in the file: \
             192.0.2.99"
        ]
    );
    // What has been written into the file meanwhile stays, and is no change.
    now[0] = vec![ip("192.0.2.10"), ip("192.0.2.11"), ip("192.0.2.12")];
    let new = with(&[("\"192.0.2.11\"", "\"192.0.2.11\", \"192.0.2.12\"")]);
    assert_eq!(lines(&difference(&config, &now, &new)), [""; 0]);
}
