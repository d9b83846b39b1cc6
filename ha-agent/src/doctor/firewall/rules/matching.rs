//! Whether an expression of a rule is about a kind of traffic.

use ha_common::wire::{bfd, udp, vrrp};
use serde_json::Value;

use super::Traffic;

/// Whether something is so, as far as can be told without a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

impl Truth {
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
        }
    }

    pub(super) const fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// Whether what is on the left of a match has a value that is on its right.
pub(super) fn matches(left: &Value, right: &Value, traffic: Traffic) -> Truth {
    if let Some(payload) = left.get("payload") {
        let text = |key: &str| payload[key].as_str().unwrap_or_default();
        return of_payload(text("protocol"), text("field"), right, traffic);
    }
    if let Some(key) = left["meta"]["key"].as_str() {
        return of_meta(key, right, traffic);
    }
    if left["ct"]["key"] == "state" {
        return of_state(right, traffic);
    }
    Truth::Unknown
}

fn of_payload(protocol: &str, field: &str, right: &Value, traffic: Traffic) -> Truth {
    match (protocol, field) {
        ("ip", "protocol") | ("ip6", "nexthdr") => of_protocol(right, traffic),
        ("udp" | "th", "dport" | "sport") => {
            let port = match field {
                "dport" => destination(traffic),
                _ => source(traffic),
            };
            match port {
                Port::Known(port) => has(right, &|one| is_number(one, u64::from(port))),
                Port::Any => Truth::Unknown,
                Port::None => Truth::No,
            }
        }
        ("ether", "type") => has_any(right, &["ip", "ip6"]),
        ("tcp" | "sctp" | "dccp" | "icmp" | "icmpv6" | "igmp" | "arp" | "esp" | "ah", _) => {
            Truth::No
        }
        _ => Truth::Unknown,
    }
}

fn of_meta(key: &str, right: &Value, traffic: Traffic) -> Truth {
    match key {
        "l4proto" => of_protocol(right, traffic),
        "nfproto" => has_any(right, &["ipv4", "ipv6"]),
        "protocol" => has_any(right, &["ip", "ip6"]),
        // It is never the loopback interface; which one of the others it is, is not asked here.
        "iif" | "iifname" | "oif" | "oifname" if right == "lo" => Truth::No,
        _ => Truth::Unknown,
    }
}

fn of_protocol(right: &Value, traffic: Traffic) -> Truth {
    let (name, number) = match traffic {
        Traffic::Vrrp => ("vrrp", vrrp::PROTOCOL),
        Traffic::ProbeOut | Traffic::ProbeAnswer | Traffic::BfdOut | Traffic::BfdIn => {
            ("udp", udp::PROTOCOL)
        }
    };
    has(right, &|one| {
        one == name || is_number(one, u64::from(number))
    })
}

/// Answers belong to what was asked; all else is new to connection tracking at some time.
fn of_state(right: &Value, traffic: Traffic) -> Truth {
    match traffic {
        Traffic::ProbeAnswer => has_any(right, &["established"]),
        Traffic::Vrrp | Traffic::ProbeOut | Traffic::BfdOut | Traffic::BfdIn => {
            has_any(right, &["new"])
        }
    }
}

enum Port {
    Known(u16),
    /// One that the kernel chose.
    Any,
    /// The protocol has none.
    None,
}

fn destination(traffic: Traffic) -> Port {
    match traffic {
        Traffic::Vrrp => Port::None,
        Traffic::ProbeOut => Port::Known(bfd::SEAMLESS_PORT),
        Traffic::ProbeAnswer => Port::Any,
        Traffic::BfdOut | Traffic::BfdIn => Port::Known(bfd::PORT),
    }
}

fn source(traffic: Traffic) -> Port {
    match traffic {
        Traffic::Vrrp => Port::None,
        Traffic::ProbeAnswer => Port::Known(bfd::SEAMLESS_PORT),
        Traffic::ProbeOut | Traffic::BfdOut | Traffic::BfdIn => Port::Any,
    }
}

fn has_any(right: &Value, names: &[&str]) -> Truth {
    has(right, &|one| names.iter().any(|name| one == name))
}

/// Whether one of the values on the right is meant. A set that could not be resolved is not known.
fn has(right: &Value, is_meant: &dyn Fn(&Value) -> bool) -> Truth {
    match right {
        Value::String(name) if name.starts_with('@') => Truth::Unknown,
        Value::Array(elements) => any(elements, is_meant),
        Value::Object(_) => match (&right["set"], &right["elem"]["val"], &right["range"]) {
            (Value::Array(elements), ..) => any(elements, is_meant),
            (_, Value::Null, Value::Null) => Truth::Unknown,
            (_, Value::Null, _) => is_meant(right).into(),
            (_, element, _) => is_meant(element).into(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            is_meant(right).into()
        }
    }
}

fn any(elements: &[Value], is_meant: &dyn Fn(&Value) -> bool) -> Truth {
    let mut all = Truth::No;
    for element in elements {
        match has(element, is_meant) {
            Truth::Yes => return Truth::Yes,
            Truth::Unknown => all = Truth::Unknown,
            Truth::No => {}
        }
    }
    all
}

fn is_number(one: &Value, number: u64) -> bool {
    let within = one["range"].as_array().is_some_and(|bounds| {
        let bound = |index: usize| bounds.get(index).and_then(Value::as_u64);
        bound(0).is_some_and(|first| first <= number) && bound(1).is_some_and(|last| number <= last)
    });
    within || one.as_u64() == Some(number)
}
