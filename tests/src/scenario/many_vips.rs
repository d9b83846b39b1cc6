//! Power loss again, told by advertisements, with ten thousand virtual IPs: it must not take longer.

use super::{Promise, Scenario, Setting, power_off};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "many-vips",
    what: "node a loses power, 10,000 addresses move",
    setting: Setting {
        vips: (9_000, 1_000),
        ..Setting::ADVERTS
    },
    promise: Promise {
        outage_ms: Some(power_off::LONGEST_BY_ADVERTS_MS + power_off::LONGEST_BY_ADVERTS_MS / 10),
        takeover: true,
        ..Promise::ONE_OWNER
    },
    play: power_off::play,
};
