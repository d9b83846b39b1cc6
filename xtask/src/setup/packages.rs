//! Which Debian package each thing comes from, and what shows that it is there.

use std::path::Path;

use crate::command::find_program;

/// A thing that the project needs and a package brings.
#[derive(Debug)]
pub(crate) struct Need {
    /// The Debian package.
    pub(crate) package: &'static str,
    /// What shows that it is there, however it came.
    pub(crate) evidence: Evidence,
    /// What the project does with it.
    pub(crate) purpose: &'static str,
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

/// What the lab, its tests and the benchmarks run.
pub(crate) const LAB: &[Need] = &[
    program("iproute2", "ip", "makes the lab's links and namespaces"),
    program(
        "ethtool",
        "ethtool",
        "turns offloads of lab links on and off",
    ),
    program("bpftool", "bpftool", "shows programs, links and maps"),
    program("tcpdump", "tcpdump", "captures what the switch carried"),
    program("arping", "arping", "asks who has a virtual IP"),
    program("ndisc6", "ndisc6", "asks who has a virtual IPv6 address"),
    program("iputils-ping", "ping", "sends echo requests"),
    program("strace", "strace", "counts the system calls of a failover"),
    program("keepalived", "keepalived", "is a VRRP peer"),
    Need {
        package: "frr",
        evidence: Evidence::File("/usr/lib/frr/zebra"),
        purpose: "is a VRRP and BFD peer",
    },
];

const fn program(package: &'static str, name: &'static str, purpose: &'static str) -> Need {
    Need {
        package,
        evidence: Evidence::Program(name),
        purpose,
    }
}

/// The BPF compiler of Debian: a rustc with a prebuilt `core` for BPF.
pub(crate) const COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_looked_at() {
        assert!(program("dash", "sh", "").is_met());
        assert!(!program("none", "no-such-program", "").is_met());
        let file = |path| Need {
            package: "base-files",
            evidence: Evidence::File(path),
            purpose: "",
        };
        assert!(file("/etc/passwd").is_met());
        assert!(!file("/no/such/file").is_met());
    }

    #[test]
    fn no_package_is_listed_twice() {
        for (i, need) in LAB.iter().enumerate() {
            assert!(
                LAB[i + 1..]
                    .iter()
                    .all(|other| other.package != need.package),
                "{}",
                need.package
            );
        }
    }
}
