//! Carries a plan out. A step that fails does not keep the others from being tried.

use std::{fmt, process::Command};

use crate::{
    command::{run, shown},
    privilege::Privilege,
    setup::{
        apt::{self, Apt},
        bpffs,
        plan::{Impossible, Plan},
        toolchain::{self, Compiler},
    },
};

/// What could not be done, and what the user does instead.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    by_hand: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "setup: {}\n  by hand: {}", self.what, self.by_hand)
    }
}

/// Does what `plan` says, and tells what went wrong.
pub(crate) fn carry_out(plan: &Plan, privilege: Privilege, apt: Option<Apt>) -> Vec<Failure> {
    let mut failures: Vec<_> = plan.impossible.iter().map(Failure::from).collect();
    if let Some(apt) = apt.filter(|_| !plan.packages.is_empty()) {
        failures.extend(install(apt, privilege, &plan.packages));
    }
    if let Some(toolchain) = &plan.rust_src {
        failures.extend(attempt(&mut toolchain::rust_src_command(toolchain)));
    }
    if plan.linker {
        failures.extend(build_linker());
    }
    if plan.bpffs {
        failures.extend(as_root(privilege, &mut bpffs::mount_command(privilege)));
    }
    failures
}

impl From<&Impossible> for Failure {
    fn from(impossible: &Impossible) -> Self {
        match impossible {
            Impossible::Compiler => Self {
                what:
                    "no compiler for BPF: this system offers no package rustc-web, and rustup has \
                       no nightly"
                        .to_owned(),
                by_hand: "rustup toolchain install nightly --component rust-src".to_owned(),
            },
            Impossible::Package(need) => Self {
                what: format!(
                    "no package {} is offered here, which {}",
                    need.package, need.purpose
                ),
                by_hand: apt::by_hand(&[need.package]),
            },
        }
    }
}

/// Installs them together; if that fails, one by one, so that the one at fault is named.
fn install(apt: Apt, privilege: Privilege, packages: &[&'static str]) -> Vec<Failure> {
    if privilege == Privilege::None {
        return vec![Failure {
            what: "packages can be installed only by root, or with a sudo that asks for no \
                   password"
                .to_owned(),
            by_hand: apt::by_hand(packages),
        }];
    }
    if apt.install(packages).is_ok() {
        return Vec::new();
    }
    packages
        .iter()
        .filter_map(|package| {
            let error = apt.install(&[package]).err()?;
            Some(Failure {
                what: format!("package {package}: {error:#}"),
                by_hand: apt::by_hand(&[package]),
            })
        })
        .collect()
}

fn build_linker() -> Option<Failure> {
    // Looked up again: it may just have been installed.
    let compiler = Compiler::find().ok()?;
    match toolchain::linker_build(&compiler) {
        Ok(mut command) => attempt(&mut command),
        Err(error) => Some(Failure {
            what: format!("bpf-linker: {error:#}"),
            by_hand: format!(
                "put a bpf-linker {} that is built for LLVM {} into PATH",
                toolchain::LINKER_VERSION,
                compiler.version.llvm
            ),
        }),
    }
}

fn as_root(privilege: Privilege, command: &mut Command) -> Option<Failure> {
    if privilege == Privilege::None {
        return Some(Failure {
            what: "only root can do this".to_owned(),
            by_hand: shown(command),
        });
    }
    attempt(command)
}

fn attempt(command: &mut Command) -> Option<Failure> {
    let error = run(command).err()?;
    Some(Failure {
        what: format!("{error:#}"),
        by_hand: shown(command),
    })
}
