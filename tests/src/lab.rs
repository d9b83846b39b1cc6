//! The lab: a bridge as the switch, and on it the nodes, a client and an observer.
//!
//! ```text
//!    node a      node b       client        observer
//!     eth0        eth0         eth0           eth0        each in a namespace of its own
//!      │           │            │              │
//!   ┌──┴───────────┴────────────┴──────────────┴──┐
//!   │  a           b          client      observer │       ports of br0, namespace "switch"
//!   └──────────────────────────────────────────────┘
//! ```
//!
//! The client has a kernel of the usual kind between its probes and the wire. The observer has
//! none: it asks with raw frames who has an address, and hears every answer.

mod cables;
mod frames;

use std::{fs, net::IpAddr, os::fd::OwnedFd, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use nix::{
    mount::{MsFlags, mount},
    sys::statfs::{BPF_FS_MAGIC, statfs},
};

use self::cables::{configure, plug};
use crate::{
    address, capture, command,
    daemon::Daemon,
    netns::NetNs,
    node::{INTERFACE, Node},
    remains::{BPFFS, Remains},
};

pub use crate::{closed::Closed, loss::Loss};

const BRIDGE: &str = "br0";
const CLIENT_PORT: &str = "client";
const OBSERVER_PORT: &str = "observer";

/// Asked to end, tcpdump writes what it still has in memory.
const CAPTURE_END: Duration = Duration::from_secs(1);

/// A switch with machines on it. Everything is removed on drop, after a panic too; then, and after
/// [`Lab::keep_evidence`], logs and captures are kept.
#[derive(Debug)]
pub struct Lab {
    captures: Vec<Daemon>,
    nodes: Vec<Node>,
    client: NetNs,
    observer: NetNs,
    switch: NetNs,
    /// The programs on the switch's ports.
    ports: Vec<OwnedFd>,
    // Dropped last: it removes the directories that the others write to.
    remains: Remains,
}

impl Lab {
    /// Makes a lab with as many nodes as there are names.
    ///
    /// # Errors
    ///
    /// When something cannot be made; what was made until then is removed.
    pub fn create(names: &[&str]) -> Result<Self> {
        ensure_bpffs()?;
        let remains = Remains::begin()?;

        let switch = NetNs::create(&remains.namespace("switch"))?;
        switch.set("ipv6/conf/all/disable_ipv6", "1")?;
        switch.set("ipv6/conf/default/disable_ipv6", "1")?;
        // No snooping: a switch that forwards a group only where somebody asked for it would hide
        // whether the nodes ask.
        command::ip_batch(
            switch.name(),
            &format!(
                "link add name {BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
                 link set dev {BRIDGE} up\n"
            ),
        )?;

        let client = NetNs::create(&remains.namespace("client"))?;
        let client_port = plug(&switch, CLIENT_PORT, &client, address::CLIENT.mac)?;
        configure(&client, address::CLIENT)?;
        // A frame that XDP turns round keeps its checksum; on a veth it would not have one yet.
        ethtool(&client, INTERFACE, &["tx", "off"])?;

        let observer = NetNs::create(&remains.namespace("observer"))?;
        observer.set("ipv6/conf/all/disable_ipv6", "1")?;
        observer.set("ipv6/conf/default/disable_ipv6", "1")?;
        let observer_port = plug(&switch, OBSERVER_PORT, &observer, address::OBSERVER_MAC)?;
        command::ip_batch(
            observer.name(),
            &format!("link set dev {INTERFACE} arp off up\n"),
        )?;

        let mut lab = Self {
            captures: Vec::new(),
            nodes: Vec::new(),
            client,
            observer,
            switch,
            ports: vec![client_port, observer_port],
            remains,
        };
        for (index, name) in (0..).zip(names) {
            lab.add_node(index, name)?;
        }
        Ok(lab)
    }

    /// The nodes, in the order of their names at creation.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with this index.
    ///
    /// # Panics
    ///
    /// When there are not as many nodes.
    #[must_use]
    pub fn node(&self, index: u8) -> &Node {
        &self.nodes[usize::from(index)]
    }

    /// Where the client's probes are sent from.
    #[must_use]
    pub fn client(&self) -> &NetNs {
        &self.client
    }

    /// Where raw probes are sent from: a station without IP.
    #[must_use]
    pub fn observer(&self) -> &NetNs {
        &self.observer
    }

    /// Where the switch ports are: each has the name of the machine behind it.
    #[must_use]
    pub fn switch(&self) -> &NetNs {
        &self.switch
    }

    /// Lets the client believe for ever that these addresses are at this node, whatever it hears.
    ///
    /// # Errors
    ///
    /// When `ip` fails.
    pub fn deafen_client(&self, node: u8, vips: &[IpAddr]) -> Result<()> {
        let mac = self.node(node).station.mac;
        let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
        let entries = vips
            .iter()
            .map(|vip| format!("neigh replace {vip} lladdr {mac} dev {INTERFACE} nud permanent\n"));
        command::ip_batch(self.client.name(), &entries.collect::<String>())
    }

    /// Lets the client answer no pings, or answer them again.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn hush_client(&self, is_silent: bool) -> Result<()> {
        let value = if is_silent { "1" } else { "0" };
        self.client.set("ipv4/icmp_echo_ignore_all", value)?;
        self.client.set("ipv6/icmp/echo_ignore_all", value)
    }

    /// Records what goes over the nodes' ports, beside the logs.
    ///
    /// # Errors
    ///
    /// When `tcpdump` cannot be started.
    pub fn capture(&mut self) -> Result<()> {
        for node in &self.nodes {
            let capture = capture::start(&self.switch, &node.name, &self.remains.files())?;
            self.captures.push(capture);
        }
        Ok(())
    }

    /// Ends what [`Self::capture`] began: then the files are whole.
    ///
    /// # Errors
    ///
    /// When `tcpdump` does not end.
    pub fn end_capture(&mut self) -> Result<()> {
        for mut capture in self.captures.drain(..) {
            capture.stop(CAPTURE_END)?;
        }
        Ok(())
    }

    /// Where what went over a node's port is recorded.
    #[must_use]
    pub fn capture_of(&self, node: &Node) -> PathBuf {
        self.remains.files().join(format!("{}.pcap", node.name()))
    }

    /// Keeps logs and captures when the lab goes; returns where they will be.
    pub fn keep_evidence(&self) -> PathBuf {
        self.remains.keep_files()
    }

    /// A namespace that goes with the lab, for a machine that is not on the switch.
    pub(crate) fn add_namespace(&self, name: &str) -> Result<NetNs> {
        NetNs::create(&self.remains.namespace(name))
    }

    fn add_node(&mut self, index: u8, name: &str) -> Result<()> {
        ensure!(
            (1..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "a node is named by 1 to 8 letters and digits, not {name:?}"
        );
        let namespace = NetNs::create(&self.remains.namespace(name))?;
        let station = address::node(index);
        let port = plug(&self.switch, name, &namespace, station.mac)?;
        self.ports.push(port);
        configure(&namespace, station)?;

        let dir = self.remains.files().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        self.nodes.push(Node {
            index,
            name: name.to_owned(),
            namespace,
            station,
            dir,
            pins: self.remains.pins().join(name),
        });
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for capture in &mut self.captures {
            let _ = capture.stop(CAPTURE_END);
        }
    }
}

fn ethtool(namespace: &NetNs, interface: &str, feature: &[&str]) -> Result<()> {
    let mut ethtool: Command = namespace.command("ethtool")?;
    command::run(ethtool.args(["-K", interface]).args(feature))?;
    Ok(())
}

fn ensure_bpffs() -> Result<()> {
    let mounted = statfs(BPFFS).is_ok_and(|fs| fs.filesystem_type() == BPF_FS_MAGIC);
    if mounted {
        return Ok(());
    }
    mount(
        Some("bpf"),
        BPFFS,
        Some("bpf"),
        MsFlags::empty(),
        None::<&str>,
    )
    .with_context(|| format!("mounting the BPF filesystem on {BPFFS}; the lab needs root"))
}
