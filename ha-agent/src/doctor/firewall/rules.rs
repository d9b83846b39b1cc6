//! The rules of nftables as its JSON has them (libnftables-json(5)), and what becomes of a kind of traffic.

mod matching;

use anyhow::{Context, Result};
use serde_json::Value;

use matching::{Truth, matches};

/// Jumps that are followed: the kernel's own bound (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// What must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traffic {
    /// Advertisements, by a packet socket.
    Vrrp,
    /// What probes peers.
    ProbeOut,
    /// What peers answer to questions, by the socket that asked.
    ProbeAnswer,
    /// Control packets of BFD that this node sends.
    BfdOut,
    /// The same that it receives.
    BfdIn,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It passes, as far as can be told.
    Passes,
    /// A chain with the policy to drop has no rule for it.
    NotAccepted(Place),
    /// A rule drops it that also asks for what is not known here.
    PerhapsDropped(Place),
    /// A rule drops it.
    Dropped(Place),
}

/// A rule or a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    family: String,
    table: String,
    chain: String,
    handle: Option<u64>,
}

/// All rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Ruleset {
    chains: Vec<Value>,
    rules: Vec<Value>,
    sets: Vec<Value>,
}

/// How the way through a chain ended.
enum End {
    Accepted,
    Dropped(Place),
    /// The rules after the jump decide.
    Returned,
}

/// What happened on the way.
#[derive(Default)]
struct Way {
    perhaps_dropped: Option<Place>,
    perhaps_accepted: bool,
}

impl Ruleset {
    /// Reads what `nft --json --handle list ruleset` prints.
    ///
    /// # Errors
    /// If it is something else.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let listed: Value = serde_json::from_str(text).context("nft prints no JSON")?;
        let items = listed["nftables"]
            .as_array()
            .context("nft lists no ruleset")?;
        let all = |kind: &str| {
            let found = items.iter().filter_map(|item| item.get(kind));
            found.cloned().collect()
        };
        Ok(Self {
            chains: all("chain"),
            rules: all("rule"),
            sets: all("set"),
        })
    }

    /// What becomes of this traffic: the worst that any chain on its way does.
    pub(super) fn ask(&self, traffic: Traffic) -> Answer {
        let chains = self.chains.iter().filter(|chain| is_on_way(chain, traffic));
        let answers = chains.map(|chain| self.ask_chain(chain, traffic));
        answers.max_by_key(Answer::rank).unwrap_or(Answer::Passes)
    }

    fn ask_chain(&self, chain: &Value, traffic: Traffic) -> Answer {
        let place = Place::of(chain, "name");
        let mut way = Way::default();
        let end = self.walk(&place, traffic, &mut way, DEPTH);
        match (end, way) {
            (End::Dropped(place), way) if way.perhaps_accepted => Answer::PerhapsDropped(place),
            (End::Dropped(place), _) => Answer::Dropped(place),
            (
                _,
                Way {
                    perhaps_dropped: Some(place),
                    ..
                },
            ) => Answer::PerhapsDropped(place),
            (End::Returned, way) if chain["policy"] == "drop" && !way.perhaps_accepted => {
                Answer::NotAccepted(place)
            }
            (End::Accepted | End::Returned, _) => Answer::Passes,
        }
    }

    fn walk(&self, chain: &Place, traffic: Traffic, way: &mut Way, depth: usize) -> End {
        let rules = self.rules.iter().filter(|rule| chain.has(rule));
        for rule in rules {
            let place = Place::of(rule, "chain");
            let (truth, verdict) = self.read(rule, &place, traffic);
            let end = match verdict {
                Some(Verdict::Accept) => End::Accepted,
                Some(Verdict::Drop) => End::Dropped(place),
                Some(Verdict::Return) if truth == Truth::Yes => return End::Returned,
                Some(Verdict::Jump(target)) if truth != Truth::No && depth > 0 => {
                    let target = Place {
                        chain: target,
                        handle: None,
                        ..place
                    };
                    self.walk(&target, traffic, way, depth - 1)
                }
                Some(Verdict::Return | Verdict::Jump(_)) | None => End::Returned,
            };
            match (truth, end) {
                (Truth::No, _) | (_, End::Returned) => {}
                (Truth::Yes, end) => return end,
                (Truth::Unknown, End::Accepted) => way.perhaps_accepted = true,
                (Truth::Unknown, End::Dropped(place)) => {
                    way.perhaps_dropped.get_or_insert(place);
                }
            }
        }
        End::Returned
    }

    /// Whether the rule is about this traffic, and what it does with it.
    fn read(&self, rule: &Value, place: &Place, traffic: Traffic) -> (Truth, Option<Verdict>) {
        let mut truth = Truth::Yes;
        let mut verdict = None;
        for expression in rule["expr"].as_array().into_iter().flatten() {
            if let Some(condition) = expression.get("match") {
                let right = self.resolve(&condition["right"], place);
                let met = matches(&condition["left"], right, traffic);
                let met = if condition["op"] == "!=" {
                    met.not()
                } else {
                    met
                };
                truth = truth.and(met);
            } else if let Some(map) = expression.get("vmap") {
                let entries = map["data"]["set"].as_array().into_iter().flatten();
                let mut met = entries
                    .map(|entry| (matches(&map["key"], &entry[0], traffic), &entry[1]))
                    .filter(|(met, _)| *met != Truth::No);
                match met.next() {
                    Some((met, then)) => {
                        truth = truth.and(met);
                        verdict = Verdict::of(then);
                    }
                    None => truth = Truth::No,
                }
            } else {
                verdict = verdict.or_else(|| Verdict::of(expression));
            }
        }
        (truth, verdict)
    }

    /// The elements of a named set; anything else as it is.
    fn resolve<'a>(&'a self, right: &'a Value, place: &Place) -> &'a Value {
        let Some(name) = right.as_str().and_then(|name| name.strip_prefix('@')) else {
            return right;
        };
        let mut sets = self.sets.iter();
        let found = sets.find(|set| {
            set["family"] == place.family.as_str()
                && set["table"] == place.table.as_str()
                && set["name"] == name
        });
        found.map_or(right, |set| &set["elem"])
    }
}

/// What a rule does.
enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
}

impl Verdict {
    fn of(expression: &Value) -> Option<Self> {
        let (name, what) = expression.as_object()?.iter().next()?;
        match name.as_str() {
            "accept" => Some(Self::Accept),
            "drop" | "reject" => Some(Self::Drop),
            "return" => Some(Self::Return),
            "jump" | "goto" => Some(Self::Jump(what["target"].as_str()?.to_owned())),
            _ => None,
        }
    }
}

/// Whether the traffic passes this base chain.
fn is_on_way(chain: &Value, traffic: Traffic) -> bool {
    let text = |key: &str| chain[key].as_str().unwrap_or_default();
    if text("type") != "filter" {
        return false;
    }
    let (family, hook) = (text("family"), text("hook"));
    let by_ip = matches!(family, "ip" | "ip6" | "inet");
    match traffic {
        // Packet sockets send past all hooks but that of the interface.
        Traffic::Vrrp => family == "netdev" && hook == "egress",
        Traffic::ProbeOut | Traffic::BfdOut => {
            (by_ip && matches!(hook, "output" | "postrouting"))
                || (family == "netdev" && hook == "egress")
        }
        Traffic::ProbeAnswer | Traffic::BfdIn => {
            (by_ip && matches!(hook, "input" | "prerouting" | "ingress"))
                || (family == "netdev" && hook == "ingress")
        }
    }
}

impl Answer {
    const fn rank(&self) -> u8 {
        match self {
            Self::Passes => 0,
            Self::NotAccepted(_) => 1,
            Self::PerhapsDropped(_) => 2,
            Self::Dropped(_) => 3,
        }
    }
}

impl Place {
    /// Of a chain or a rule, which name the chain under different keys.
    fn of(item: &Value, chain: &str) -> Self {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        Self {
            family: text("family"),
            table: text("table"),
            chain: text(chain),
            handle: item["handle"].as_u64().filter(|_| chain == "chain"),
        }
    }

    fn has(&self, rule: &Value) -> bool {
        rule["family"] == self.family.as_str()
            && rule["table"] == self.table.as_str()
            && rule["chain"] == self.chain.as_str()
    }

    /// The chain, as commands of `nft` name it.
    pub(super) fn chain(&self) -> String {
        format!("{} {} {}", self.family, self.table, self.chain)
    }

    /// The rule's handle, if it is one.
    pub(super) const fn handle(&self) -> Option<u64> {
        self.handle
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the chain {}", self.chain())
    }
}

#[cfg(test)]
mod tests;
