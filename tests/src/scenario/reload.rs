//! The configuration of both nodes is changed in all ways that go on without a restart, under traffic.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use super::{Promise, Scenario, Setting, Stage};
use crate::{
    address,
    agent::{self, Agent},
    cluster::{Cluster, PREFERRED, STANDBY},
    command,
    lab::Lab,
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "reload",
    what: "groups, addresses, peers, interfaces and checks are added on both nodes, and removed again",
    setting: Setting::PLANNED,
    promise: Promise {
        lost: Some(0),
        role_changes: Some(0),
        ..Promise::ONE_OWNER
    },
    play,
};

/// An interface that is not there at first, and what is behind it.
const SPARE: [&str; 2] = ["spare0", "spare1"];

/// What is done to the file of the node with this place.
type Edit = fn(&str, u8) -> Result<String>;

const STEPS: [(&str, Edit); 5] = [
    ("group added", |file, node| {
        let vips = [
            IpAddr::V4(address::vip4(300)),
            IpAddr::V6(address::vip6(300)),
        ];
        let priority = [200, 150][usize::from(node)];
        Ok(file.to_owned() + &agent::group("more", 77, priority, &vips))
    }),
    ("addresses added", |file, _| {
        let (first, last) = (address::vip4(100), address::vip4(199));
        replaced(
            file,
            "vips = [\n",
            &format!("vips = [\n    \"{first}-{last}\",\n"),
        )
    }),
    ("priority and interval changed", |file, node| {
        let before = ["priority = 200\n", "priority = 150\n"][usize::from(node)];
        let file = replaced(file, before, "priority = 180\n")?;
        // The order of the nodes stays.
        let own = ["180", "170"][usize::from(node)];
        let file = replaced(&file, "priority = 180", &format!("priority = {own}"))?;
        replaced(
            &file,
            "advert_interval = \"100ms\"",
            "advert_interval = \"150ms\"",
        )
    }),
    ("peer added", |file, _| {
        let nobody = address::node(7).v4;
        Ok(format!(
            "{file}\n[[peer]]\nname = \"nobody\"\npaths = [{{ interface = \"{}\", address = \"{nobody}\" }}]\n",
            crate::node::INTERFACE
        ))
    }),
    ("interface and check added", |file, _| {
        let spare = SPARE[0];
        let file = replaced(file, "vips = [", "track = [{ check = \"it\" }]\nvips = [")?;
        Ok(format!(
            "{file}\n[[interface]]\nname = \"{spare}\"\n\n[[check]]\nname = \"it\"\ntype = \"interface\"\n\
             interface = \"{spare}\"\n"
        ))
    }),
];

fn play(stage: &mut Stage<'_>) -> Result<()> {
    stage.prepare(|cluster| {
        [PREFERRED, STANDBY]
            .into_iter()
            .try_for_each(|n| add_spare(cluster.lab(), n))
    })?;
    let mut files = Vec::new();
    if !stage.is_ours() {
        return again(stage);
    }
    stage.prepare(|cluster| {
        for node in [PREFERRED, STANDBY] {
            files.push(ours(cluster, node)?.file()?);
        }
        Ok(())
    })?;
    let mut steps = vec![files];
    stage.hold(Duration::from_secs(1));
    for (label, edit) in STEPS {
        let Some(before) = steps.last() else {
            bail!("there is no first step");
        };
        let after = edited(before, edit)?;
        put(stage, label, after.clone())?;
        steps.push(after);
    }
    stage.mark("wrong file", refuse)?;
    steps.pop();
    for files in steps.into_iter().rev() {
        put(stage, "taken back", files)?;
    }
    stage.hold(Duration::from_secs(1));
    Ok(())
}

/// What keepalived is told is what it knows already.
fn again(stage: &mut Stage<'_>) -> Result<()> {
    for node in [PREFERRED, STANDBY, PREFERRED, STANDBY] {
        stage.mark("read again", |cluster| cluster.daemon(node).reload())?;
        stage.hold(Duration::from_secs(1));
    }
    Ok(())
}

fn edited(files: &[String], edit: Edit) -> Result<Vec<String>> {
    let files = (0..).zip(files);
    files.map(|(node, file)| edit(file, node)).collect()
}

/// Puts these files in force, on one node after the other.
fn put(stage: &mut Stage<'_>, label: &'static str, files: Vec<String>) -> Result<()> {
    for (node, file) in [PREFERRED, STANDBY].into_iter().zip(files) {
        stage.mark(label, |cluster| {
            let agent = ours(cluster, node)?;
            agent.rewrite(&file)?;
            agent.reload()?;
            Ok(())
        })?;
        stage.hold(Duration::from_millis(430));
    }
    Ok(())
}

/// A file with a fault changes nothing.
fn refuse(cluster: &mut Cluster) -> Result<()> {
    for node in [PREFERRED, STANDBY] {
        let agent = ours(cluster, node)?;
        let (file, before) = (agent.file()?, agent.in_force()?.0);
        agent.rewrite(&replaced(&file, "vrid = 51", "vrid = 0")?)?;
        ensure!(agent.reload().is_err(), "it takes a file with a fault");
        ensure!(agent.in_force()?.0 == before, "another file is in force");
        agent.rewrite(&file)?;
    }
    Ok(())
}

fn ours(cluster: &Cluster, node: u8) -> Result<&Agent> {
    let agent = cluster.agent(node);
    agent.context("only this project's agent is told something else while it runs")
}

fn add_spare(lab: &Lab, node: u8) -> Result<()> {
    let [near, far] = SPARE;
    command::ip_batch(
        lab.node(node).namespace().name(),
        &format!(
            "link add {near} type veth peer name {far}\nlink set {near} up\nlink set {far} up\n"
        ),
    )
}

fn replaced(file: &str, from: &str, to: &str) -> Result<String> {
    ensure!(file.contains(from), "the file has no {from:?}:\n{file}");
    Ok(file.replacen(from, to, 1))
}
