//! Frames that the switch or its cables lose, by order or by themselves.

use std::process::Command;

use anyhow::{Context, Result};

use super::{CLIENT_PORT, Lab};
use crate::{
    closed::{self, Closed},
    command,
    loss::{self, Loss},
    node::INTERFACE,
};

impl Lab {
    /// Lets the nodes hear everybody but each other, or everybody again.
    ///
    /// # Errors
    ///
    /// When `bridge` fails.
    pub fn set_isolated(&self, isolated: bool) -> Result<()> {
        let state = if isolated { "on" } else { "off" };
        for node in &self.nodes {
            let mut bridge: Command = self.switch.command("bridge")?;
            command::run(bridge.args(["link", "set", "dev", &node.name, "isolated", state]))?;
        }
        Ok(())
    }

    /// How many frames the virtual cables to and from this node have dropped because they were full.
    ///
    /// # Errors
    ///
    /// When `ip` or `ethtool` fails, or says something else than usual.
    pub fn overflows(&self, node: u8) -> Result<u64> {
        let node = self.node(node);
        let mut ip: Command = self.switch.command("ip")?;
        let printed = command::run(ip.args(["-j", "-s", "link", "show", "dev", &node.name]))?;
        let port: serde_json::Value = serde_json::from_str(&printed)?;
        let to_node = port[0]["stats64"]["tx"]["dropped"].as_u64();
        let to_node = to_node.with_context(|| format!("no counter of drops: {printed}"))?;
        let mut ethtool: Command = node.namespace().command("ethtool")?;
        let printed = command::run(ethtool.args(["-S", INTERFACE]))?;
        let failed = printed.lines().filter_map(|line| line.split_once(": "));
        let failed = failed.filter(|(name, _)| name.ends_with("_xdp_tx_errors"));
        let from_node: u64 = failed
            .filter_map(|(_, count)| count.parse::<u64>().ok())
            .sum();
        Ok(to_node + from_node)
    }

    /// Lets the switch lose frames from one node to another; what goes to others passes.
    ///
    /// # Errors
    ///
    /// When `nft` fails.
    pub fn lose(&self, from: u8, to: u8, loss: Loss) -> Result<()> {
        let (from, to) = (&self.node(from).name, &self.node(to).name);
        loss::begin(&self.switch, from, to, loss)
    }

    /// Lets the switch lose frames from a port to the client.
    ///
    /// # Errors
    ///
    /// When `nft` fails.
    pub fn lose_to_client(&self, from: &str, loss: Loss) -> Result<()> {
        loss::begin(&self.switch, from, CLIENT_PORT, loss)
    }

    /// Ends what [`Self::lose`] and [`Self::lose_to_client`] began, between all nodes; returns how many frames were lost.
    ///
    /// # Errors
    ///
    /// When `nft` fails, or nothing was being lost.
    pub fn lose_nothing(&self) -> Result<u64> {
        loss::end(&self.switch)
    }

    /// Has the port of a node let through its own MAC only.
    ///
    /// # Errors
    ///
    /// When `nft` fails.
    pub fn close(&self, node: u8, what: Closed) -> Result<()> {
        let node = self.node(node);
        closed::close(&self.switch, &node.name, &node.mac(), what)
    }

    /// Ends what [`Self::close`] began, of all nodes.
    ///
    /// # Errors
    ///
    /// When `nft` fails, or nothing was closed.
    pub fn open(&self) -> Result<()> {
        closed::open(&self.switch)
    }
}
