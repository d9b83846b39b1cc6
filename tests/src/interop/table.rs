//! The cases.

use super::{Case, Maker, Protocol, Side, Story};

const HIGH: u8 = 200;
const LOW: u8 = 150;

const fn side(priority: u8) -> Side {
    Side {
        priority,
        interval: 100,
    }
}

/// The story that both stories vary: version 3 over IPv4, multicast, ten advertisements a second.
const fn ours(name: &'static str, maker: Maker) -> Case {
    Case {
        name,
        maker,
        protocol: Protocol::V3,
        unicast: false,
        ours: side(HIGH),
        theirs: side(LOW),
        checksum: "auto",
        story: Story::OursPreferred,
    }
}

const fn theirs(name: &'static str, maker: Maker) -> Case {
    Case {
        ours: side(LOW),
        theirs: side(HIGH),
        story: Story::TheirsPreferred,
        ..ours(name, maker)
    }
}

const fn ipv6(case: Case) -> Case {
    Case {
        protocol: Protocol::V3Ipv6,
        ..case
    }
}

const fn unicast(case: Case) -> Case {
    Case {
        unicast: true,
        ..case
    }
}

/// Version 2 counts whole seconds.
const fn version_2(case: Case) -> Case {
    let interval = 1_000;
    Case {
        protocol: Protocol::V2,
        ours: Side {
            interval,
            ..case.ours
        },
        theirs: Side {
            interval,
            ..case.theirs
        },
        ..case
    }
}

const fn intervals(case: Case, ours: u64, theirs: u64) -> Case {
    Case {
        ours: Side {
            interval: ours,
            ..case.ours
        },
        theirs: Side {
            interval: theirs,
            ..case.theirs
        },
        ..case
    }
}

const fn checksum(case: Case, checksum: &'static str) -> Case {
    Case { checksum, ..case }
}

const fn meeting(name: &'static str, maker: Maker, ours_wins: bool) -> Case {
    Case {
        ours: side(LOW),
        theirs: side(LOW),
        story: Story::Meeting { ours_wins },
        ..ours(name, maker)
    }
}

use Maker::{Frr, Keepalived, KeepalivedVmac};

/// All of them.
pub const CASES: &[Case] = &[
    ours("keepalived-ours", Keepalived),
    theirs("keepalived-theirs", Keepalived),
    ipv6(ours("keepalived-ipv6-ours", Keepalived)),
    ipv6(theirs("keepalived-ipv6-theirs", Keepalived)),
    ours("keepalived-vmac-ours", KeepalivedVmac),
    theirs("keepalived-vmac-theirs", KeepalivedVmac),
    ipv6(ours("keepalived-vmac-ipv6-ours", KeepalivedVmac)),
    ipv6(theirs("keepalived-vmac-ipv6-theirs", KeepalivedVmac)),
    unicast(ours("keepalived-unicast-ours", Keepalived)),
    unicast(theirs("keepalived-unicast-theirs", Keepalived)),
    unicast(ipv6(ours("keepalived-unicast-ipv6-ours", Keepalived))),
    unicast(ipv6(theirs("keepalived-unicast-ipv6-theirs", Keepalived))),
    version_2(ours("keepalived-v2-ours", Keepalived)),
    version_2(theirs("keepalived-v2-theirs", Keepalived)),
    ours("frr-ours", Frr),
    theirs("frr-theirs", Frr),
    ipv6(ours("frr-ipv6-ours", Frr)),
    ipv6(theirs("frr-ipv6-theirs", Frr)),
    version_2(ours("frr-v2-ours", Frr)),
    version_2(theirs("frr-v2-theirs", Frr)),
    checksum(
        ours("keepalived-checksum-fixed", Keepalived),
        "pseudo-header",
    ),
    checksum(ours("frr-checksum-fixed", Frr), "pseudo-header"),
    intervals(ours("keepalived-slower-ours", Keepalived), 100, 500),
    intervals(theirs("keepalived-slower-theirs", Keepalived), 500, 100),
    intervals(ours("frr-slower-ours", Frr), 100, 500),
    intervals(theirs("frr-slower-theirs", Frr), 500, 100),
    meeting("keepalived-equal-theirs", Keepalived, false),
    meeting("keepalived-equal-ours", Keepalived, true),
    meeting("frr-equal-theirs", Frr, false),
    meeting("frr-equal-ours", Frr, true),
];
