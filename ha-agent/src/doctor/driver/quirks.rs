//! Known faults of drivers that concern XDP programs.

use aya::util::KernelVersion;

use crate::doctor::finding::Verdict;

/// A fault.
struct Quirk {
    driver: &'static str,
    /// The first kernel in which it was seen, and the first one in which it was not; `None` if nobody knows of one.
    from: KernelVersion,
    until: Option<KernelVersion>,
    /// The MTU above which it shows.
    above: u32,
    fault: &'static str,
    meaning: &'static str,
    mend: &'static str,
}

const QUIRKS: [Quirk; 2] = [
    Quirk {
        driver: "igb",
        from: KernelVersion::new(6, 14, 0),
        until: Some(KernelVersion::new(6, 15, 0)),
        above: 0,
        fault: "igb of Linux 6.14 was seen to fill its ring with frames that programs pass on",
        meaning: "The interface may receive nothing any more after some time (xdp-tutorial issue 466).",
        mend: "run another kernel, or set `mode = \"generic\"` in [[interface]]",
    },
    Quirk {
        driver: "i40e",
        from: KernelVersion::new(5, 18, 0),
        until: None,
        above: 3000,
        fault: "i40e is known for faults with frames that lie in several buffers (agave turns them off for it)",
        meaning: "At this MTU frames may be lost.",
        mend: "keep the MTU of the interface at 1500",
    },
];

/// The faults of a driver in this kernel, at this MTU.
pub(super) fn of(driver: &str, kernel: KernelVersion, mtu: u32) -> impl Iterator<Item = Verdict> {
    let known = QUIRKS.iter().filter(move |quirk| {
        quirk.driver == driver
            && kernel >= quirk.from
            && mtu > quirk.above
            && quirk.until.is_none_or(|until| kernel < until)
    });
    known.map(|quirk| Verdict::warning(quirk.fault, quirk.meaning, quirk.mend))
}
