//! Frames that the switch loses on the way from one node to another.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{command, netns::NetNs};

/// The table of the switch's filter, of the bridge family: its rules see each frame between two ports.
const TABLE: &str = "bridge lab";
const CHAIN: &str = "lost";

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Every frame.
    All,
    /// VRRP advertisements of both families.
    Adverts,
    /// IPv4 and its ARP, so that only the other family is left.
    V4,
    /// Echo requests of both families.
    Pings,
    /// Those of IPv4.
    Pings4,
}

impl Loss {
    /// The frames, as `nft` describes them: one rule each.
    const fn matches(self) -> &'static [&'static str] {
        match self {
            Self::All => &[""],
            // RFC 9568 sections 5.1.1.4 and 5.1.2.4.
            Self::Adverts => &["ip protocol 112", "ip6 nexthdr 112"],
            Self::V4 => &["ether type ip", "ether type arp"],
            Self::Pings => &["icmp type echo-request", "icmpv6 type echo-request"],
            Self::Pings4 => &["icmp type echo-request"],
        }
    }
}

/// Loses on the way from the port `from` to the port `to`, beside what is lost already.
pub(crate) fn begin(switch: &NetNs, from: &str, to: &str, loss: Loss) -> Result<()> {
    let rules: String = loss
        .matches()
        .iter()
        .map(|frames| {
            format!("add rule {TABLE} {CHAIN} iifname \"{from}\" oifname \"{to}\" {frames} counter drop\n")
        })
        .collect();
    // What exists is added again without harm; the whole file is one transaction.
    filter(
        switch,
        &format!(
            "add table {TABLE}\n\
             add chain {TABLE} {CHAIN} {{ type filter hook forward priority 0; }}\n{rules}"
        ),
    )
}

/// Loses nothing any more; returns how many frames were lost.
pub(crate) fn end(switch: &NetNs) -> Result<u64> {
    let mut list: Command = switch.command("nft")?;
    let printed = command::run(
        list.args(["--json", "list", "chain"])
            .args(TABLE.split(' '))
            .arg(CHAIN),
    )?;
    let lost = count(&printed).with_context(|| format!("reading what nft says: {printed}"))?;
    filter(switch, &format!("delete table {TABLE}\n"))?;
    Ok(lost)
}

/// The sum of all counters of `nft --json list chain`.
fn count(printed: &str) -> Result<u64> {
    let listed: Listed = serde_json::from_str(printed)?;
    let rules = listed.nftables.into_iter().filter_map(|item| item.rule);
    let counters = rules
        .flat_map(|rule| rule.expr)
        .filter_map(|expression| expression.counter);
    Ok(counters.map(|counter| counter.packets).sum())
}

#[derive(Deserialize)]
struct Listed {
    nftables: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    rule: Option<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    expr: Vec<Expression>,
}

#[derive(Deserialize)]
struct Expression {
    counter: Option<Counter>,
}

#[derive(Deserialize)]
struct Counter {
    packets: u64,
}

fn filter(switch: &NetNs, rules: &str) -> Result<()> {
    let mut nft: Command = switch.command("nft")?;
    command::run_with_input(nft.args(["-f", "-"]), rules)
        .context("telling the switch what to lose")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_lost_frames_of_all_rules_are_counted() {
        let printed = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}},
            {"chain": {"family": "bridge", "name": "lost"}},
            {"rule": {"expr": [{"match": {"op": "=="}}, {"counter": {"packets": 3, "bytes": 9}}, {"drop": null}]}},
            {"rule": {"expr": [{"counter": {"packets": 4, "bytes": 9}}, {"drop": null}]}}]}"#;
        assert_eq!(count(printed).unwrap(), 7);
        assert!(count("no such chain").is_err());
    }
}
