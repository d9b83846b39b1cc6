//! Another configuration for an agent that runs: what is new works, what is gone is gone, what stays is not touched,
//! and what is wrong changes nothing.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    process::Command,
    thread::sleep,
    time::Duration,
};

use ha_common::abi::SCHEMA;
use ha_lab::{
    address,
    agent::{self, Agent, GROUP, Setup, Standing},
    cluster::Service,
    command,
    lab::Lab,
    node::INTERFACE,
    station::Station,
    under_test, waiting,
};

/// Time between probes: a loss is found out soon, and a busy machine is none.
const PROBES: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take, and how long nobody must have answered to be silent.
const ANSWER: Duration = Duration::from_millis(300);
/// A virtual IP that is not there at first.
const MORE: Ipv4Addr = address::vip4(100);

struct Pair {
    agents: Vec<Agent>,
    // Last: the agents are stopped before it goes.
    lab: Lab,
}

impl Pair {
    /// Two nodes of which the first is Active, and both know that the other lives.
    fn start() -> Self {
        let lab = Lab::create(&["a", "b"]).unwrap();
        let service = Service::new(1, 1);
        let start = |node: u8| {
            let setup = Setup {
                tables: agent::peer(lab.node(1 - node), PROBES),
                ..Setup::new(&service, [200, 150][usize::from(node)])
            };
            Agent::start_as(&under_test::agent(), lab.node(node), &setup).unwrap()
        };
        let agents = [0, 1].map(start).into();
        let pair = Self { agents, lab };
        pair.until("a is Active and b is not", |pair| {
            pair.is_active(0, GROUP) && !pair.is_active(1, GROUP) && (0..2).all(|n| pair.all_up(n))
        });
        pair
    }

    fn is_active(&self, node: usize, group: &str) -> bool {
        self.agents[node].is_active_for(group).unwrap_or(false)
    }

    fn all_up(&self, node: usize) -> bool {
        let ways = self.agents[node].ways().unwrap_or_default();
        !ways.is_empty() && ways.iter().all(|way| way.state == "up")
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        waiting::until(LIMIT, what, || is_so(self));
    }

    /// Changes the file of a node; what it was before.
    fn edit(&self, node: usize, edit: impl FnOnce(&str) -> String) -> String {
        let before = self.agents[node].file().unwrap();
        let after = edit(&before);
        assert_ne!(before, after, "the edit changes nothing");
        self.agents[node].rewrite(&after).unwrap();
        before
    }

    /// Changes the file of a node and puts it in force.
    fn change(&self, node: usize, edit: impl FnOnce(&str) -> String) -> String {
        self.edit(node, edit);
        self.agents[node].reload().unwrap()
    }

    fn refusal(&self, node: usize) -> String {
        format!("{:#}", self.agents[node].reload().unwrap_err())
    }

    fn standing(&self, node: usize, group: &str) -> Option<Standing> {
        self.agents[node].standing(group).unwrap()
    }

    fn ip(&self, node: u8, arguments: &[&str]) -> String {
        let mut ip = Command::new("ip");
        ip.args(["-n", self.lab.node(node).namespace().name()]);
        command::run(ip.args(arguments)).unwrap()
    }

    /// Whether the node would deliver packets to this address to its own applications.
    fn is_local(&self, node: u8, vip: IpAddr) -> bool {
        let family = if vip.is_ipv4() { "-4" } else { "-6" };
        let routes = self.ip(node, &[family, "route", "show", "table", "local"]);
        let vip = format!("local {vip} ");
        routes.lines().any(|line| format!("{line} ").contains(&vip))
    }

    /// What is pinned, by name.
    fn pins(&self, node: u8) -> Vec<String> {
        let links = self.lab.node(node).pins();
        let maps = links.join(SCHEMA.to_string());
        let entries = [links, &maps].map(|pins| fs::read_dir(pins).unwrap());
        let entries = entries.into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// One more interface with an address, and what is behind it.
    fn add_interface(&self, node: u8, name: &str, address: &str) {
        let far = format!("{name}p");
        command::ip_batch(
            self.lab.node(node).namespace().name(),
            &format!(
                "link add {name} type veth peer name {far}\nlink set {name} up\nlink set {far} up\n\
                 address add {address} dev {name}\n"
            ),
        )
        .unwrap();
    }
}

fn more_vips(file: &str, vips: &[IpAddr]) -> String {
    let lines: String = vips.iter().map(|vip| format!("    \"{vip}\",\n")).collect();
    file.replacen("vips = [\n", &format!("vips = [\n{lines}"), 1)
}

#[test]
fn an_address_that_is_added_answers_and_one_that_is_removed_is_silent() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    let six = IpAddr::V6(address::vip6(100));
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let filters = pair.ip(0, &["maddress", "show", "dev", INTERFACE]);
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());

    // What is planned is not done.
    pair.edit(0, |file| more_vips(file, &[MORE.into(), six]));
    let plan = pair.agents[0].plan(&[]).unwrap();
    assert!(
        plan.contains(&format!("virtual IPs added: {MORE} {six}")),
        "{plan}"
    );
    let plan = pair.agents[0].plan(&["--json"]).unwrap();
    assert!(
        plan.contains("\"applied\": false") && plan.contains("\"action\": \"changed\""),
        "{plan}"
    );
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
    assert!(!pair.is_local(0, MORE.into()));

    let done = pair.agents[0].reload().unwrap();
    assert!(done.contains("1 changes are in force"), "{done}");
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    assert!(pair.is_local(0, MORE.into()) && pair.is_local(0, six));
    pair.change(1, |file| more_vips(file, &[MORE.into(), six]));
    assert!(pair.is_local(1, MORE.into()));
    for (node, before) in before.iter().enumerate() {
        let now = pair.standing(node, GROUP).unwrap();
        assert_eq!(now.vips, before.vips + 2);
        assert_eq!(
            now,
            Standing {
                vips: now.vips,
                ..before.clone()
            }
        );
    }

    for node in [0, 1] {
        pair.change(node, |file| {
            let lines = [format!("    \"{MORE}\",\n"), format!("    \"{six}\",\n")];
            lines
                .iter()
                .fold(file.to_owned(), |file, line| file.replace(line, ""))
        });
    }
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
    assert!(observer.is_answered(address::vip4(0), ANSWER).unwrap());
    for node in [0, 1] {
        assert!(!pair.is_local(node, MORE.into()) && !pair.is_local(node, six));
        assert_eq!(
            pair.standing(node.into(), GROUP).as_ref(),
            Some(&before[usize::from(node)])
        );
    }
    assert_eq!(pair.ip(0, &["maddress", "show", "dev", INTERFACE]), filters);
}

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
fn a_file_that_is_wrong_or_cannot_be_in_force_changes_nothing_and_says_why() {
    let pair = Pair::start();
    let before = pair.standing(0, GROUP).unwrap();
    let (sum, error) = pair.agents[0].in_force().unwrap();
    assert_eq!(error, None);
    let pins = pair.pins(0);
    let file = pair.agents[0].file().unwrap();
    // One without an address, and one that is not there.
    let bare = "link add bare type veth peer name barep\nlink set bare up\nlink set barep up\n";
    command::ip_batch(pair.lab.node(0).namespace().name(), bare).unwrap();
    let line = 1 + file.lines().position(|line| line == "vrid = 51").unwrap();
    let vips = [IpAddr::from(MORE)];
    for (text, code, told) in [
        (
            file.replacen("vrid = 51", "vrid = 0", 1),
            2,
            format!(
                "ha-agent.toml:{line}:8: group.lab.election.vrid: 0 is out of range: choose 1 to 255"
            ),
        ),
        (
            file.replacen("vips = [", "vips = ", 1),
            2,
            "ha-agent.toml:".to_owned(),
        ),
        (
            file.replacen("name = \"a\"", "name = \"c\"", 1),
            1,
            "node.name a → c: that is read at a start only".to_owned(),
        ),
        (
            format!("{file}\n[log]\nfilter = \"debug\"\n"),
            1,
            "log.filter info → debug".to_owned(),
        ),
        (
            format!("{file}\n[[interface]]\nname = \"nowhere0\"\n"),
            1,
            "there is no interface nowhere0".to_owned(),
        ),
        (
            format!(
                "{file}\n[[interface]]\nname = \"bare\"\n{}",
                agent::group_on("bare", "more", 77, 100, &vips)
            ),
            1,
            "bare has no IPv4 address".to_owned(),
        ),
        // In native mode nothing can be attached there, which shows only when it is tried.
        (
            format!(
                "{file}\n[[interface]]\nname = \"lo\"\n{}",
                agent::group("more", 77, 100, &vips)
            ),
            1,
            "cannot attach the program to lo".to_owned(),
        ),
    ] {
        pair.agents[0].rewrite(&text).unwrap();
        let refusal = pair.refusal(0);
        assert!(refusal.contains(&told), "{told}: {refusal}");
        assert!(
            refusal.contains(&format!("exit status: {code}")),
            "{refusal}"
        );
        let (now, error) = pair.agents[0].in_force().unwrap();
        assert_eq!(now, sum, "{told}");
        assert!(error.unwrap().contains(&told), "the status says why");
        assert_eq!(pair.standing(0, GROUP).as_ref(), Some(&before), "{told}");
        assert_eq!(pair.pins(0), pins, "{told}");
        assert!(!pair.is_local(0, MORE.into()), "{told}");
        assert_eq!(pair.standing(0, "more"), None);
    }
    pair.agents[0].rewrite(&file).unwrap();
    pair.agents[0].reload().unwrap();
    assert_eq!(pair.agents[0].in_force().unwrap(), (sum, None));
}

#[test]
fn what_was_added_is_taken_back_when_something_after_it_fails() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    pair.add_interface(0, "spare0", "198.18.9.1/24");
    let (before, pins) = (pair.standing(0, GROUP).unwrap(), pair.pins(0));
    let filters = || pair.ip(0, &["maddress", "show", "dev", INTERFACE]);
    let filtered = filters();
    // The routes are the last that can fail.
    let namespace = pair.lab.node(0).namespace();
    namespace.set("ipv6/conf/lo/disable_ipv6", "1").unwrap();
    let six = IpAddr::V6(address::vip6(100));
    let group = agent::group("more", 77, 100, &[address::vip4(101).into()]);
    let spare = "\n[[interface]]\nname = \"spare0\"\n";
    let file = pair.edit(0, |file| {
        more_vips(file, &[MORE.into(), six]) + spare + &group
    });
    let refusal = pair.refusal(0);
    assert!(refusal.contains("cannot add the local route"), "{refusal}");
    assert!(
        refusal.contains("the configuration from before is in force"),
        "{refusal}"
    );
    assert_eq!(pair.standing(0, GROUP), Some(before));
    assert_eq!((pair.standing(0, "more"), pair.pins(0)), (None, pins));
    assert!(!pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    assert_eq!(filters(), filtered);
    for vip in [MORE, address::vip4(101)] {
        assert!(!pair.is_local(0, vip.into()));
        assert!(!observer.is_answered(vip, ANSWER).unwrap());
    }

    // The same file is in force when it can be.
    namespace.set("ipv6/conf/lo/disable_ipv6", "0").unwrap();
    pair.agents[0].reload().unwrap();
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    pair.agents[0].rewrite(&file).unwrap();
    pair.agents[0].reload().unwrap();
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());
}

#[test]
fn an_interface_comes_with_its_program_and_goes_with_it() {
    let pair = Pair::start();
    let (before, pins) = (pair.standing(0, GROUP).unwrap(), pair.pins(0));
    let vip: IpAddr = "198.18.9.9".parse().unwrap();
    let spare = format!(
        "\n[[interface]]\nname = \"spare0\"\n{}",
        agent::group_on("spare0", "spare", 60, 100, &[vip])
    );
    let mut files = Vec::new();
    // A node takes over when the other has said that it is not Active, for which it needs the group.
    for node in [0, 1] {
        let address = ["198.18.9.1/24", "198.18.9.2/24"][node];
        pair.add_interface(node as u8, "spare0", address);
        files.push(pair.edit(node, |file| format!("{file}{spare}")));
        pair.agents[node].reload().unwrap();
    }
    pair.until("the group on it is Active", |pair| {
        pair.is_active(0, "spare") || pair.is_active(1, "spare")
    });
    let index = pair.lab.node(0).namespace().ifindex("spare0").unwrap();
    let link = format!("link-{index}");
    assert!(pair.pins(0).contains(&link), "{:?}", pair.pins(0));
    assert!(pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    let joined = |pair: &Pair| {
        let groups = pair.ip(0, &["-4", "maddress", "show", "dev", "spare0"]);
        groups.contains("224.0.0.18")
    };
    assert!(joined(&pair));

    for (agent, file) in pair.agents.iter().zip(&files) {
        agent.rewrite(file).unwrap();
        // While the group changes hands it is refused.
        pair.until("it is reloaded", |_| agent.reload().is_ok());
    }
    assert_eq!(pair.pins(0), pins);
    assert!(!pair.ip(0, &["link", "show", "spare0"]).contains("xdp"));
    assert!(!joined(&pair), "the membership is left");
    assert!(!pair.is_local(0, vip));
    assert_eq!(pair.standing(0, GROUP), Some(before));
}

#[test]
fn the_file_wins_over_what_was_added_at_run_time() {
    let pair = Pair::start();
    let observer = Station::observer(&pair.lab).unwrap();
    pair.agents[0].vips("add", MORE.into()).unwrap();
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
    let plan = pair.agents[0].plan(&[]).unwrap();
    assert!(
        plan.contains(&format!(
            "added at run time and are not in the file: {MORE}"
        )),
        "{plan}"
    );
    pair.agents[0].reload().unwrap();
    assert!(!observer.is_answered(MORE, ANSWER).unwrap());

    // What has been written into it meanwhile stays, and nothing happens.
    pair.agents[0].vips("add", MORE.into()).unwrap();
    let done = pair.change(0, |file| more_vips(file, &[MORE.into()]));
    assert!(done.contains("nothing has changed"), "{done}");
    assert!(observer.is_answered(MORE, ANSWER).unwrap());
}

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
fn ten_thousand_addresses_come_and_go_within_the_lease() {
    let pair = Pair::start();
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let files: Vec<_> = (0..2)
        .map(|node| {
            let (first, last) = (address::vip4(1_000), address::vip4(10_999));
            let range = format!("vips = [\n    \"{first}-{last}\",\n");
            let file = pair.edit(node, |file| file.replacen("vips = [\n", &range, 1));
            pair.agents[node].reload().unwrap();
            file
        })
        .collect();
    // Twenty thousand announcements may have filled one who listens all the time.
    for vip in [1_000, 6_000, 10_999] {
        pair.until("a new one answers", |pair| {
            let observer = Station::observer(&pair.lab).unwrap();
            observer.is_answered(address::vip4(vip), ANSWER).unwrap()
        });
    }
    for (agent, file) in pair.agents.iter().zip(&files) {
        agent.rewrite(file).unwrap();
        agent.reload().unwrap();
    }
    let observer = Station::observer(&pair.lab).unwrap();
    assert!(!observer.is_answered(address::vip4(6_000), ANSWER).unwrap());
    for node in [0, 1] {
        let now = pair.standing(usize::from(node), GROUP);
        assert_eq!(now.as_ref(), Some(&before[usize::from(node)]));
        assert!(!pair.is_local(node, address::vip4(6_000).into()));
    }
}

/// A session with the other node, over IPv4 or, for `two`, over its link-local address.
fn session(pair: &Pair, node: usize, name: &str) -> String {
    let other = pair.lab.node(1 - node as u8);
    let address: IpAddr = match name {
        "two" => other.link_local().into(),
        _ => other.station().v4.into(),
    };
    format!(
        "\n[[bfd]]\nname = \"{name}\"\ninterface = \"{INTERFACE}\"\naddress = \"{address}\"\n\n[[check]]\n\
         name = \"{name}\"\ntype = \"bfd\"\nsession = \"{name}\"\n"
    )
}

#[test]
fn sessions_and_peers_that_stay_do_not_begin_anew() {
    let pair = Pair::start();
    let tracked = "track = [{ check = \"one\" }]\nvips = [";
    for node in [0, 1] {
        let one = session(&pair, node, "one");
        pair.change(node, |file| file.replacen("vips = [", tracked, 1) + &one);
    }
    let is_up = |node: usize, name: &str| {
        let session = pair.agents[node].bfd(name);
        session.is_ok_and(|session| session.state == "up")
    };
    pair.until("one is up", |_| is_up(0, "one") && is_up(1, "one"));
    let seen = || {
        let session = pair.agents[0].bfd("one").unwrap();
        let changes = pair.agents[0].liveness_changes().unwrap();
        (session.discriminator, session.ups, changes)
    };
    let (before, standing) = (seen(), pair.standing(0, GROUP).unwrap());

    // Before the others: places in the file mean nothing.
    let nobody = address::node(7).v4;
    let peer = format!(
        "\n[[peer]]\nname = \"nobody\"\npaths = [{{ interface = \"{INTERFACE}\", address = \"{nobody}\" }}]\n"
    );
    for node in [0, 1] {
        let two = session(&pair, node, "two").replacen("[[check]]", &format!("{peer}[[check]]"), 1);
        let tracked = "track = [{ check = \"two\" }, ";
        pair.change(node, |file| {
            let file = file.replacen("track = [", tracked, 1);
            file.replacen("\n[[group]]", &format!("{two}\n[[group]]"), 1)
        });
    }
    pair.until("two is up", |_| is_up(0, "two") && is_up(1, "two"));
    assert_eq!(
        (seen(), pair.standing(0, GROUP).unwrap()),
        (before, standing.clone())
    );

    for node in [0, 1] {
        let (two, peer) = (session(&pair, node, "two"), peer.clone());
        pair.change(node, |file| {
            let file = file.replacen(&peer, "", 1).replacen(&two, "", 1);
            file.replacen("{ check = \"two\" }, ", "", 1)
        });
        assert!(pair.agents[node].bfd("two").is_err());
    }
    sleep(Duration::from_secs(1));
    assert!(is_up(0, "one"));
    assert_eq!(
        (seen(), pair.standing(0, GROUP).unwrap()),
        (before, standing)
    );
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

/// Who is no peer any more may not know yet: if it were not answered it would take this node for dead.
#[test]
fn peers_part_without_taking_each_other_for_dead() {
    let pair = Pair::start();
    let before = [0, 1].map(|node| pair.standing(node, GROUP).unwrap());
    let files = [0, 1].map(|node: u8| {
        let peer = agent::peer(pair.lab.node(1 - node), PROBES);
        let node = usize::from(node);
        let file = pair.edit(node, |file| file.replacen(&peer, "", 1));
        pair.agents[node].reload().unwrap();
        sleep(Duration::from_secs(1));
        for (node, before) in before.iter().enumerate() {
            assert_eq!(pair.standing(node, GROUP).as_ref(), Some(before));
        }
        file
    });
    assert!(pair.agents[0].ways().unwrap().is_empty());
    for (node, file) in files.iter().enumerate() {
        pair.agents[node].rewrite(file).unwrap();
        pair.agents[node].reload().unwrap();
    }
    pair.until("they watch each other again", |pair| {
        pair.all_up(0) && pair.all_up(1)
    });
    assert_eq!(
        [0, 1].map(|node| pair.standing(node, GROUP).unwrap()),
        before
    );
}
