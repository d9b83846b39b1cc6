//! A machine of the lab: a namespace with one interface, `eth0`, on the switch.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{address::Station, command, netns::NetNs};

/// The interface that every node and the client have.
pub const INTERFACE: &str = "eth0";

/// The interface that a node may have beside it.
pub const SECOND: &str = "eth1";

/// A node, on which an agent or another failover program runs.
#[derive(Debug)]
pub struct Node {
    pub(crate) index: u8,
    pub(crate) name: String,
    pub(crate) namespace: NetNs,
    pub(crate) station: Station,
    pub(crate) dir: PathBuf,
    pub(crate) pins: PathBuf,
}

impl Node {
    /// Its place among the lab's nodes, from 0.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// `a`, `b`, …
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The switch's port of its second interface, if it has one.
    #[must_use]
    pub fn second_port(&self) -> String {
        format!("{}-2", self.name)
    }

    /// Where its programs run.
    #[must_use]
    pub fn namespace(&self) -> &NetNs {
        &self.namespace
    }

    /// Its addresses.
    #[must_use]
    pub fn station(&self) -> Station {
        self.station
    }

    /// The IPv6 address that its interface makes from its MAC (RFC 4291 appendix A).
    #[must_use]
    pub fn link_local(&self) -> std::net::Ipv6Addr {
        let [a, b, c, d, e, f] = self.station.mac.map(u16::from);
        let word = |high, low| high << 8 | low;
        let (first, second) = (word(a ^ 2, b), word(c, 0xff));
        std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, first, second, word(0xfe, d), word(e, f))
    }

    /// MAC of its interface, as `ip` writes it.
    #[must_use]
    pub fn mac(&self) -> String {
        self.station.mac.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// Directory for its configuration, control socket and logs.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its pin directory, on the host's BPF filesystem.
    #[must_use]
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// Has its stack make checksums, which a veth leaves to a NIC that is not there: what the other end's data
    /// path sends back would go without.
    ///
    /// # Errors
    ///
    /// When `ethtool` fails.
    pub fn make_checksums(&self) -> Result<()> {
        let mut ethtool = self.namespace.command("ethtool")?;
        command::run(ethtool.args(["-K", INTERFACE, "tx", "off"]))?;
        Ok(())
    }

    /// Writes a file into the node's directory and returns its path.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, file: &str, content: &str) -> Result<PathBuf> {
        let path = self.dir.join(file);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        Ok(path)
    }
}
