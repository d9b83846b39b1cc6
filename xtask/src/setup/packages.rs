//! Which Debian package each thing comes from, and what shows that it is there.

use std::path::Path;

use crate::{command::find_program, setup::Scope};

/// A thing that the project needs and a package brings.
#[derive(Debug)]
pub(crate) struct Need {
    /// The Debian package.
    pub(crate) package: &'static str,
    /// What shows that it is there, however it came.
    pub(crate) evidence: Evidence,
    /// What the project does with it.
    pub(crate) purpose: &'static str,
    /// The smallest scope that needs it.
    pub(crate) scope: Scope,
}

/// What shows that a thing is there.
#[derive(Debug)]
pub(crate) enum Evidence {
    /// A program of this name.
    Program(&'static str),
    /// A file.
    File(&'static str),
}

impl Need {
    /// Whether it is there.
    pub(crate) fn is_met(&self) -> bool {
        match self.evidence {
            Evidence::Program(name) => find_program(name).is_some(),
            Evidence::File(path) => Path::new(path).exists(),
        }
    }
}

/// Programs beside the compiler.
pub(crate) const PROGRAMS: &[Need] = &[
    lab("iproute2", "ip", "makes the lab's links and namespaces"),
    lab("nftables", "nft", "loses frames between the lab's nodes"),
    lab("ethtool", "ethtool", "turns offloads of lab links off"),
    lab("tcpdump", "tcpdump", "captures what the switch carried"),
    lab("bpftool", "bpftool", "shows programs, links and maps"),
    lab("strace", "strace", "counts the system calls of a failover"),
    lab("keepalived", "keepalived", "is the VRRP peer"),
    lab("tshark", "tshark", "reads what the agent sent"),
    Need {
        package: "frr",
        evidence: Evidence::File("/usr/lib/frr/zebra"),
        purpose: "is a VRRP and BFD peer",
        scope: Scope::Lab,
    },
    machine(
        "qemu-system-x86",
        Evidence::Program("qemu-system-x86_64"),
        "runs virtual machines",
    ),
    machine(
        "busybox-static",
        Evidence::File("/bin/busybox"),
        "is the system of virtual machines",
    ),
    extra("arping", "/usr/sbin/arping", "asks who has a virtual IP"),
    extra(
        "ndisc6",
        "/usr/bin/ndisc6",
        "asks who has a virtual IPv6 address",
    ),
    extra("iputils-ping", "/usr/bin/ping", "sends echo requests"),
];

/// Without it tests, demo or benchmarks cannot run.
const fn lab(package: &'static str, program: &'static str, purpose: &'static str) -> Need {
    Need {
        package,
        evidence: Evidence::Program(program),
        purpose,
        scope: Scope::Lab,
    }
}

/// For virtual machines.
const fn machine(package: &'static str, evidence: Evidence, purpose: &'static str) -> Need {
    Need {
        package,
        evidence,
        purpose,
        scope: Scope::Machines,
    }
}

/// For looking around in the lab by hand.
const fn extra(package: &'static str, file: &'static str, purpose: &'static str) -> Need {
    Need {
        package,
        evidence: Evidence::File(file),
        purpose,
        scope: Scope::Everything,
    }
}

/// The BPF compiler of Debian: a rustc with a prebuilt `core` for BPF.
pub(crate) const COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_looked_at() {
        assert!(lab("dash", "sh", "").is_met());
        assert!(!lab("none", "no-such-program", "").is_met());
        assert!(extra("base-files", "/etc/passwd", "").is_met());
        assert!(!extra("none", "/no/such/file", "").is_met());
    }

    #[test]
    fn no_package_is_listed_twice() {
        for (i, need) in PROGRAMS.iter().enumerate() {
            assert!(
                PROGRAMS[i + 1..]
                    .iter()
                    .all(|other| other.package != need.package),
                "{}",
                need.package
            );
        }
    }
}
