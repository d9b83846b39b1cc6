//! A port of the switch that lets nothing but the own MAC of the node behind it through, as a hypervisor's does that
//! trusts its guest with no other.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{command, netns::NetNs};

/// The table of the switch's filter, of the bridge family.
const TABLE: &str = "bridge hypervisor";

/// Which unicast frames with another MAC are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Those that the node sends from it.
    From,
    /// Those that are sent to it there.
    To,
    /// Both.
    Both,
}

/// Closes the port behind which this MAC is.
pub(crate) fn close(switch: &NetNs, port: &str, mac: &str, closed: Closed) -> Result<()> {
    let from = format!("add rule {TABLE} from iifname \"{port}\" ether saddr != {mac} drop\n");
    // What is for a group is for everybody (IEEE 802-2014 section 8.2).
    let to = format!(
        "add rule {TABLE} to oifname \"{port}\" ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr != \
         {mac} drop\n"
    );
    let rules = match closed {
        Closed::From => from,
        Closed::To => to,
        Closed::Both => from + &to,
    };
    let mut nft: Command = switch.command("nft")?;
    // What comes from a closed port is not learnt either.
    let rules = format!(
        "add table {TABLE}\n\
         add chain {TABLE} from {{ type filter hook prerouting priority 0; }}\n\
         add chain {TABLE} to {{ type filter hook forward priority 0; }}\n{rules}"
    );
    command::run_with_input(nft.args(["-f", "-"]), &rules)
        .with_context(|| format!("closing the port {port}"))?;
    Ok(())
}

/// Opens all ports again.
pub(crate) fn open(switch: &NetNs) -> Result<()> {
    let mut nft: Command = switch.command("nft")?;
    command::run_with_input(nft.args(["-f", "-"]), &format!("delete table {TABLE}\n"))
        .context("opening the ports")?;
    Ok(())
}
