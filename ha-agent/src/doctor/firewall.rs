//! Whether nftables drops what agents and routers say to each other.

mod rules;

use std::{fs, io, process::Stdio};

use anyhow::{Context, Result, bail};
use ha_common::wire::{bfd, vrrp};
use tokio::process::Command;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::config::Election;
use rules::{Answer, Place, Ruleset, Traffic};

/// Tables of the iptables that is not nftables (`net/ipv4/netfilter/ip_tables.c`).
const LEGACY: [&str; 2] = [
    "/proc/thread-self/net/ip_tables_names",
    "/proc/thread-self/net/ip6_tables_names",
];

/// The rules, and what must pass them.
#[derive(Debug)]
pub(super) struct Facts {
    /// `None` if there is nothing that lists them.
    rules: Option<Ruleset>,
    legacy: bool,
    must_pass: Vec<Traffic>,
}

#[derive(Debug)]
pub(super) struct Firewall;

impl Check for Firewall {
    const NAME: &'static str = "firewall";
    const ABOUT: &'static str = "Rules of nftables, as `nft -j list ruleset` has them, that drop VRRP on its way out \
         (IP protocol 112), liveness probes (UDP 7784) or BFD (UDP 3784). Frames that the data path answers, and \
         advertisements that come in, pass by before any rule.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let facts = Facts {
            rules: list().await?,
            legacy: LEGACY
                .into_iter()
                .any(|file| fs::read_to_string(file).is_ok_and(|names| !names.trim().is_empty())),
            must_pass: must_pass(host),
        };
        Ok(vec![(String::new(), facts)])
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if facts.legacy {
            verdicts.push(Verdict::warning(
                "there are rules of the legacy iptables, which are not read",
                "They may drop liveness probes (UDP 7784) or BFD (UDP 3784).",
                "look at `iptables-legacy-save` and `ip6tables-legacy-save`",
            ));
        }
        let Some(rules) = &facts.rules else {
            verdicts.push(Verdict::ok("no nft here to list rules with"));
            return verdicts;
        };
        for traffic in &facts.must_pass {
            verdicts.extend(judge(*traffic, rules));
        }
        if verdicts.is_empty() {
            verdicts.push(Verdict::ok(
                "no rule drops what the agent sends and receives",
            ));
        }
        verdicts
    }
}

fn judge(traffic: Traffic, rules: &Ruleset) -> Option<Verdict> {
    let what = traffic.name();
    let meaning = match traffic {
        Traffic::Vrrp => "Peers do not hear this node's advertisements: two nodes become Active.",
        Traffic::ProbeOut | Traffic::ProbeAnswer => {
            "Peers seem dead, or cannot be asked: a Backup becomes Active beside a node that is well."
        }
        Traffic::BfdOut | Traffic::BfdIn => "Sessions with routers do not come up.",
    };
    match rules.ask(traffic) {
        Answer::Passes => None,
        Answer::Dropped(place) => Some(Verdict::failure(
            format!("{what} is dropped by a rule of {place}"),
            meaning,
            remove(&place),
        )),
        Answer::PerhapsDropped(place) => Some(Verdict::warning(
            format!("{what} may be dropped by a rule of {place}, which also asks for other things"),
            meaning,
            remove(&place),
        )),
        Answer::NotAccepted(place) => Some(Verdict::warning(
            format!("no rule accepts {what}, and {place} drops what none accepts"),
            meaning,
            format!(
                "nft insert rule {} {} accept",
                place.chain(),
                traffic.expression()
            ),
        )),
    }
}

fn remove(place: &Place) -> String {
    match place.handle() {
        Some(handle) => format!("nft delete rule {} handle {handle}", place.chain()),
        None => format!("nft --handle list chain {}", place.chain()),
    }
}

/// What this node says and hears by sockets. What comes in as VRRP is taken off the wire before nftables, as is
/// what the data path answers and stamps.
fn must_pass(host: &Host) -> Vec<Traffic> {
    let config = &host.config;
    let by_vrrp = |group: &crate::config::Group| group.election != Election::Manual;
    let mut traffic = Vec::new();
    if config.groups.iter().any(by_vrrp) {
        traffic.push(Traffic::Vrrp);
    }
    if !config.peers.is_empty() {
        traffic.extend([Traffic::ProbeOut, Traffic::ProbeAnswer]);
    }
    if !config.bfd.is_empty() {
        traffic.extend([Traffic::BfdOut, Traffic::BfdIn]);
    }
    traffic
}

/// What `nft` lists; `None` if it is not there.
async fn list() -> Result<Option<Ruleset>> {
    let mut nft = Command::new("nft");
    nft.args(["--json", "--handle", "list", "ruleset"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match nft.output().await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        output => output.context("cannot start `nft`")?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or_default();
        bail!("`nft --json list ruleset`: {first}");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ruleset::parse(&text).map(Some)
}

impl Traffic {
    fn name(self) -> String {
        match self {
            Self::Vrrp => format!("VRRP (IP protocol {})", vrrp::PROTOCOL),
            Self::ProbeOut => format!("what probes peers (to UDP {})", bfd::SEAMLESS_PORT),
            Self::ProbeAnswer => format!("what peers answer (from UDP {})", bfd::SEAMLESS_PORT),
            Self::BfdOut => format!("BFD on its way out (to UDP {})", bfd::PORT),
            Self::BfdIn => format!("BFD that comes in (to UDP {})", bfd::PORT),
        }
    }

    fn expression(self) -> String {
        match self {
            Self::Vrrp => format!("meta l4proto {}", vrrp::PROTOCOL),
            Self::ProbeOut => format!("udp dport {}", bfd::SEAMLESS_PORT),
            Self::ProbeAnswer => format!("udp sport {}", bfd::SEAMLESS_PORT),
            Self::BfdOut | Self::BfdIn => format!("udp dport {}", bfd::PORT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn what_is_dropped_is_told_with_the_rule_to_remove() {
        let rules = r#"{"nftables": [
            {"chain": {"family": "inet", "table": "f", "name": "out", "type": "filter", "hook": "output",
                       "policy": "accept"}},
            {"rule": {"family": "inet", "table": "f", "chain": "out", "handle": 4, "expr": [
                {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 7784}},
                {"drop": null}]}}]}"#;
        let judge = |must_pass, legacy| {
            Firewall::judge(&Facts {
                rules: Some(Ruleset::parse(rules).unwrap()),
                legacy,
                must_pass,
            })
        };
        let verdicts = judge(vec![Traffic::Vrrp, Traffic::ProbeOut], false);
        assert_eq!(verdicts.len(), 1);
        assert_eq!(verdicts[0].level, Level::Failure);
        assert_eq!(verdicts[0].mend, "nft delete rule inet f out handle 4");
        assert_eq!(judge(vec![Traffic::BfdOut], false)[0].level, Level::Ok);
        assert_eq!(judge(vec![], true)[0].level, Level::Warning);
        let unknown = Facts {
            rules: None,
            legacy: false,
            must_pass: vec![Traffic::Vrrp],
        };
        assert_eq!(Firewall::judge(&unknown)[0].level, Level::Ok);
    }
}
