//! Power loss again, with ten thousand virtual IPs: it must not take longer.

use super::{Promise, Scenario, power_off};
use crate::cluster::AnsweringMac;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "many-vips",
    what: "node a loses power, 10,000 addresses move",
    vips: (9_000, 1_000),
    mac: AnsweringMac::Virtual,
    probes_ms: 0,
    promise: Promise {
        lost: None,
        outage_ms: Some(power_off::LONGEST_OUTAGE_MS + power_off::LONGEST_OUTAGE_MS / 10),
        takeover: true,
    },
    play: power_off::play,
};
