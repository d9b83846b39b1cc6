//! What of the kernel the agent builds on.

use std::path::Path;

use anyhow::{Context, Result};
use aya::util::KernelVersion;
use aya_obj::btf::{Btf, BtfKind};

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};

/// Types of the running kernel.
const TYPES: &str = "/sys/kernel/btf/vmlinux";

/// What the kernel can do, and by which of its types or functions that is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Feature {
    name: &'static str,
    /// First version.
    since: (u8, u8),
    kind: BtfKind,
    symbol: &'static str,
    /// What the agent needs it for.
    purpose: &'static str,
    without: Without,
}

/// How the agent fares without a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    /// It does not run.
    Impossible,
    /// It has another way, which costs something.
    Worse,
    /// It has another way, which is as good.
    Fine,
    /// It does not run on veth with a virtual MAC.
    NoVirtualMacOnVeth,
}

const FEATURES: [Feature; 8] = [
    Feature {
        name: "memory-mapped arrays",
        since: (5, 5),
        kind: BtfKind::Func,
        symbol: "array_map_mmap",
        purpose: "a failover is one write to memory",
        without: Without::Impossible,
    },
    Feature {
        name: "ring buffers",
        since: (5, 8),
        kind: BtfKind::Struct,
        symbol: "bpf_ringbuf_map",
        purpose: "the kernel reports demotions and stale senders",
        without: Without::Impossible,
    },
    Feature {
        name: "XDP links",
        since: (5, 9),
        kind: BtfKind::Struct,
        symbol: "bpf_xdp_link",
        purpose: "the data path outlives the agent and is replaced without a gap",
        without: Without::Impossible,
    },
    Feature {
        name: "BPF timers",
        since: (5, 15),
        kind: BtfKind::Struct,
        symbol: "bpf_timer",
        purpose: "a lease that is not renewed ends by itself",
        without: Without::Impossible,
    },
    Feature {
        name: "XDP on frames of several buffers",
        since: (5, 18),
        kind: BtfKind::Func,
        symbol: "bpf_xdp_store_bytes",
        purpose: "large MTUs",
        without: Without::Impossible,
    },
    Feature {
        name: "live frames",
        since: (5, 18),
        kind: BtfKind::Struct,
        symbol: "xdp_test_data",
        purpose: "only measurements send by them",
        without: Without::Fine,
    },
    Feature {
        name: "tcx",
        since: (6, 6),
        kind: BtfKind::Struct,
        symbol: "tcx_entry",
        purpose: "a veth with a virtual MAC; elsewhere a filter of clsact does as well",
        without: Without::NoVirtualMacOnVeth,
    },
    Feature {
        name: "the tracepoint of ending processes",
        since: (5, 5),
        kind: BtfKind::Typedef,
        symbol: "btf_trace_sched_process_exit",
        purpose: "the end of a process is known at once, and `on_exit = \"release\"`",
        without: Without::Worse,
    },
];

/// What the kernel can do.
#[derive(Debug)]
pub(super) struct Facts {
    version: KernelVersion,
    /// Of [`FEATURES`] those that are missing; `None` if the kernel does not tell its types.
    missing: Option<Vec<Feature>>,
    virtual_mac_on_veth: bool,
}

#[derive(Debug)]
pub(super) struct Kernel;

impl Check for Kernel {
    const NAME: &'static str = "kernel";
    const ABOUT: &'static str = "What the agent builds on: BTF, memory-mapped arrays (5.5), ring buffers (5.8), XDP \
         links (5.9), BPF timers (5.15), XDP on frames of several buffers (5.18), tcx (6.6). They are looked for in \
         the kernel's own types, so that what a distribution has taken back or left out is seen.";
    const SHOWN: Shown = Shown::Facts;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let missing = if Path::new(TYPES).exists() {
            let types = Btf::from_sys_fs().with_context(|| format!("cannot read {TYPES}"))?;
            let is_missing = |feature: &Feature| {
                let found = types.id_by_type_name_kind(feature.symbol, feature.kind);
                found.is_err()
            };
            Some(FEATURES.into_iter().filter(is_missing).collect())
        } else {
            None
        };
        let virtual_mac_on_veth = host.served().any(|served| {
            let virtual_mac = |group: &crate::config::Group| match group.mac {
                crate::config::AnsweringMac::Virtual(_) => true,
                crate::config::AnsweringMac::Interface => false,
            };
            let device = served.device;
            device.kind == "veth" && host.groups_on(&device.name).any(virtual_mac)
        });
        let facts = Facts {
            version: host.kernel,
            missing,
            virtual_mac_on_veth,
        };
        Ok(vec![(String::new(), facts)])
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let version = facts.version;
        let Some(missing) = &facts.missing else {
            return vec![Verdict::failure(
                format!("{version} does not tell its types (BTF)"),
                "The agent's programs are not loaded without them.",
                "run a kernel that is built with CONFIG_DEBUG_INFO_BTF=y",
            )];
        };
        let verdicts: Vec<_> = missing
            .iter()
            .filter_map(|feature| lack(feature, facts))
            .collect();
        if verdicts.is_empty() {
            return vec![Verdict::ok(format!("{version} has all that is needed"))];
        }
        verdicts
    }
}

fn lack(feature: &Feature, facts: &Facts) -> Option<Verdict> {
    let (major, minor) = feature.since;
    let seen = format!(
        "{} has no {}, which came with {major}.{minor}",
        facts.version, feature.name
    );
    let mend = format!("run Linux {major}.{minor} or newer");
    let needed = format!("The agent does not start without: {}.", feature.purpose);
    match feature.without {
        Without::Impossible => Some(Verdict::failure(seen, needed, mend)),
        Without::NoVirtualMacOnVeth if facts.virtual_mac_on_veth => {
            Some(Verdict::failure(seen, needed, mend))
        }
        Without::Worse => Some(Verdict::warning(
            seen,
            format!("The agent does without: {}.", feature.purpose),
            mend,
        )),
        Without::Fine | Without::NoVirtualMacOnVeth => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn levels(missing: Option<&[&str]>, virtual_mac_on_veth: bool) -> Vec<Level> {
        let missing = missing.map(|names| {
            let is_named = |feature: &Feature| names.contains(&feature.name);
            let found: Vec<_> = FEATURES.into_iter().filter(is_named).collect();
            assert_eq!(found.len(), names.len(), "{names:?}");
            found
        });
        let verdicts = Kernel::judge(&Facts {
            version: KernelVersion::new(6, 1, 0),
            missing,
            virtual_mac_on_veth,
        });
        verdicts.iter().map(|verdict| verdict.level).collect()
    }

    #[test]
    fn what_is_missing_decides() {
        assert_eq!(levels(Some(&[]), true), [Level::Ok]);
        assert_eq!(levels(None, false), [Level::Failure]);
        assert_eq!(levels(Some(&["BPF timers"]), false), [Level::Failure]);
        assert_eq!(levels(Some(&["live frames"]), true), [Level::Ok]);
        assert_eq!(levels(Some(&["tcx"]), false), [Level::Ok]);
        assert_eq!(levels(Some(&["tcx"]), true), [Level::Failure]);
        assert_eq!(
            levels(
                Some(&["ring buffers", "the tracepoint of ending processes"]),
                false
            ),
            [Level::Failure, Level::Warning]
        );
    }

    #[test]
    fn the_version_that_brings_it_is_told() {
        let facts = Facts {
            version: KernelVersion::new(5, 10, 0),
            missing: Some(FEATURES.to_vec()),
            virtual_mac_on_veth: false,
        };
        let verdicts = Kernel::judge(&facts);
        let timers = verdicts
            .iter()
            .find(|verdict| verdict.seen.contains("BPF timers"))
            .unwrap();
        assert_eq!(timers.mend, "run Linux 5.15 or newer");
    }
}
