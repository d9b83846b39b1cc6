use serde_json::{Value, json};

use super::*;

/// A base chain of `inet f` with these rules, as `nft` lists them.
fn chain(hook: &str, policy: &str, rules: &[Value]) -> Ruleset {
    let mut items = vec![json!({"chain": {
        "family": "inet", "table": "f", "name": "c", "type": "filter", "hook": hook, "policy": policy}})];
    for (handle, expr) in (1..).zip(rules) {
        items.push(json!({"rule": {
            "family": "inet", "table": "f", "chain": "c", "handle": handle, "expr": expr}}));
    }
    items.push(json!({"set": {"family": "inet", "table": "f", "name": "s", "elem": [3784, 7784]}}));
    items.push(json!({"chain": {"family": "inet", "table": "f", "name": "other"}}));
    items.push(json!({"rule": {
        "family": "inet", "table": "f", "chain": "other", "handle": 77, "expr": [{"drop": null}]}}));
    Ruleset::parse(&json!({"nftables": items}).to_string()).unwrap()
}

fn port(field: &str, right: &Value) -> Value {
    json!({"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": field}}, "right": right}})
}

fn protocol(right: &Value) -> Value {
    json!({"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": right}})
}

fn state(right: &Value) -> Value {
    json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": right}})
}

fn drop() -> Value {
    json!({"drop": null})
}

fn accept() -> Value {
    json!({"accept": null})
}

fn handle(answer: &Answer) -> Option<u64> {
    match answer {
        Answer::Dropped(place) | Answer::PerhapsDropped(place) | Answer::NotAccepted(place) => {
            place.handle()
        }
        Answer::Passes => None,
    }
}

#[test]
fn ports_are_numbers_ranges_and_sets() {
    for right in [
        json!(7784),
        json!({"range": [7780, 7790]}),
        json!({"set": [1, 7784]}),
        json!({"set": [1, {"range": [7000, 8000]}]}),
        json!("@s"),
    ] {
        let rules = chain(
            "output",
            "accept",
            &[json!([port("dport", &right), drop()])],
        );
        let answer = rules.ask(Traffic::ProbeOut);
        assert!(matches!(answer, Answer::Dropped(_)), "{right}: {answer:?}");
    }
    for right in [
        json!(7783),
        json!({"range": [1, 7783]}),
        json!({"set": [1]}),
    ] {
        let rules = chain(
            "output",
            "accept",
            &[json!([port("dport", &right), drop()])],
        );
        assert_eq!(rules.ask(Traffic::ProbeOut), Answer::Passes, "{right}");
    }
    let unknown = chain(
        "output",
        "accept",
        &[json!([port("dport", &json!("@t")), drop()])],
    );
    assert!(matches!(
        unknown.ask(Traffic::ProbeOut),
        Answer::PerhapsDropped(_)
    ));
}

#[test]
fn only_chains_on_the_way_count() {
    let rules = [json!([
        protocol(&json!({"set": ["icmp", "vrrp", "udp"]})),
        drop()
    ])];
    let input = chain("input", "accept", &rules);
    assert_eq!(
        input.ask(Traffic::Vrrp),
        Answer::Passes,
        "packet sockets come before"
    );
    assert_eq!(input.ask(Traffic::ProbeOut), Answer::Passes);
    assert!(matches!(input.ask(Traffic::BfdIn), Answer::Dropped(_)));
    let mut egress = chain("egress", "accept", &rules);
    for item in egress.chains.iter_mut().chain(&mut egress.rules) {
        item["family"] = "netdev".into();
    }
    assert!(matches!(egress.ask(Traffic::Vrrp), Answer::Dropped(_)));
}

#[test]
fn the_first_rule_that_is_met_decides() {
    let all = json!([drop()]);
    let bfd = json!([port("dport", &json!(3784)), accept()]);
    let rules = chain("input", "accept", &[bfd.clone(), all.clone()]);
    assert_eq!(rules.ask(Traffic::BfdIn), Answer::Passes);
    let rules = chain("input", "accept", &[all, bfd]);
    let answer = rules.ask(Traffic::BfdIn);
    assert_eq!(
        (handle(&answer), matches!(answer, Answer::Dropped(_))),
        (Some(1), true)
    );
}

#[test]
fn what_a_rule_asks_beside_is_not_known() {
    let from = json!({"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                                "right": "192.0.2.1"}});
    let rules = chain(
        "input",
        "accept",
        &[json!([from, port("dport", &json!(3784)), drop()])],
    );
    assert!(matches!(
        rules.ask(Traffic::BfdIn),
        Answer::PerhapsDropped(_)
    ));
    let unequal = json!({"match": {"op": "!=", "left": {"payload": {"protocol": "udp", "field": "dport"}},
                                   "right": 3784}});
    let rules = chain("input", "accept", &[json!([unequal, drop()])]);
    assert_eq!(rules.ask(Traffic::BfdIn), Answer::Passes);
}

#[test]
fn a_policy_wants_a_rule_that_accepts() {
    let loopback =
        json!([{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, accept()]);
    let known = json!([state(&json!({"set": ["established", "related"]})), accept()]);
    let rules = chain("input", "drop", &[loopback, known.clone()]);
    assert!(matches!(rules.ask(Traffic::BfdIn), Answer::NotAccepted(_)));
    assert_eq!(
        rules.ask(Traffic::ProbeAnswer),
        Answer::Passes,
        "it was asked for"
    );
    let bfd = json!([port("dport", &json!({"set": [3784, 3785]})), accept()]);
    let rules = chain("input", "drop", &[known, bfd]);
    assert_eq!(rules.ask(Traffic::BfdIn), Answer::Passes);
}

#[test]
fn jumps_and_maps_are_followed() {
    let jump = json!([{"jump": {"target": "other"}}]);
    let answer = chain("input", "accept", &[jump]).ask(Traffic::BfdIn);
    assert_eq!(handle(&answer), Some(77));
    let map = json!([{"vmap": {"key": {"payload": {"protocol": "udp", "field": "dport"}},
                               "data": {"set": [[22, {"accept": null}], [3784, {"drop": null}]]}}}]);
    let rules = chain("input", "accept", &[map]);
    assert!(matches!(rules.ask(Traffic::BfdIn), Answer::Dropped(_)));
    // A chain that jumps to itself, which the kernel does not take, ends too.
    let endless = json!([{"jump": {"target": "c"}}]);
    assert_eq!(
        chain("input", "accept", &[endless]).ask(Traffic::BfdIn),
        Answer::Passes
    );
}

#[test]
fn what_is_no_ruleset_is_refused() {
    assert!(Ruleset::parse("").is_err());
    assert!(Ruleset::parse("{}").is_err());
    assert_eq!(
        Ruleset::parse(r#"{"nftables": []}"#)
            .unwrap()
            .ask(Traffic::Vrrp),
        Answer::Passes
    );
}
