//! The cargo command that builds for BPF.

use std::{env, path::Path, process::Command};

use crate::toolchain::{Compiler, Origin, TARGET};

/// What cargo hands down to build scripts is for the host's code, but these are for every cargo.
const KEPT: [&str; 2] = ["CARGO_HOME", "CARGO_NET_OFFLINE"];

/// The command that builds in release mode with `compiler` and `linker`; the caller adds what to
/// build, and where.
pub(crate) fn cargo_build(compiler: &Compiler, linker: &Path) -> Command {
    let mut command = Command::new(compiler.prefix.join("bin/cargo"));
    for (name, _) in env::vars_os() {
        if is_for_the_host(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    let flags = [
        format!("-Clinker={}", linker.display()),
        "-Clink-arg=--btf".to_owned(),
        "-Cdebuginfo=2".to_owned(),
    ];
    command
        .env("RUSTC", compiler.rustc())
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args(["build", "--release", "--target", TARGET]);
    match compiler.origin {
        // aya's BPF half uses unstable features, which a stable rustc must be told to allow.
        Origin::Debian => command.env("RUSTC_BOOTSTRAP", "1"),
        Origin::Nightly => command.arg("-Zbuild-std=core"),
    };
    command
}

fn is_for_the_host(variable: &str) -> bool {
    let of_cargo = variable.starts_with("CARGO") && !KEPT.contains(&variable);
    let of_rustc = variable.starts_with("RUSTC") || variable == "RUSTFLAGS";
    of_cargo || of_rustc || variable == "RUSTUP_TOOLCHAIN"
}
