//! The BPF compiler and its linker: which of the two ways is taken, and how the linker is built.
//!
//! What compiles is decided by the file that the agent's build script uses too.

#[path = "../../../ha-agent/build/toolchain.rs"]
mod shared;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

pub(crate) use shared::{Compiler, LINKER_VERSION, Origin, TARGET, choice, nightlies};

use crate::{setup::probe, workspace};

/// Where tools of the project's own are kept, so that nothing of the user's is overwritten.
pub(crate) fn tools_dir() -> PathBuf {
    workspace::root().join("target/tools")
}

/// The linker that the build would use with `compiler`, if it is one that fits it: built for it, or
/// tried with it.
pub(crate) fn fitting_linker(compiler: &Compiler) -> Option<PathBuf> {
    let tools = tools_dir();
    let linker = shared::find_linker(&tools, compiler)?;
    let fits = linker == shared::paired_linker(&tools, compiler)
        || probe::has_worked(compiler, &linker, &tools);
    fits.then_some(linker)
}

/// The command that adds the source of `core` to a toolchain of rustup.
pub(crate) fn rust_src_command(toolchain: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["component", "add", "rust-src", "--toolchain", toolchain]);
    command
}

/// The command that builds the linker against the LLVM that `compiler` itself runs with. That LLVM
/// is made ready to be linked.
///
/// # Errors
/// If that LLVM is not found, or its directory cannot be prepared.
pub(crate) fn linker_build(compiler: &Compiler) -> Result<Command> {
    let llvm = llvm_of(compiler)?;
    let home = tools_dir().join(compiler.pair());
    let prefix = home.join("llvm");
    link_llvm(&llvm, &prefix.join("lib"))
        .with_context(|| format!("cannot prepare {}", prefix.display()))?;
    Ok(linker_command(compiler, &prefix, &home))
}

fn linker_command(compiler: &Compiler, llvm_prefix: &Path, home: &Path) -> Command {
    let major = compiler.version.llvm_major().unwrap_or_default();
    let mut command = workspace::cargo();
    command
        .env("LLVM_PREFIX", llvm_prefix)
        .args(["install", "bpf-linker", "--version", LINKER_VERSION])
        .args(["--locked", "--force", "--no-default-features"])
        .args(["--features", &format!("llvm-{major}"), "--root"])
        .arg(home);
    command
}

/// The shared library of LLVM beside `compiler`: rustup keeps it in `lib`, Debian in the directory
/// of the architecture below it.
fn llvm_of(compiler: &Compiler) -> Result<PathBuf> {
    let lib = compiler.prefix.join("lib");
    let below = subdirectories(&lib)
        .into_iter()
        .filter(|dir| dir.to_string_lossy().ends_with("-linux-gnu"));
    std::iter::once(lib.clone())
        .chain(below)
        .find_map(|dir| library_in(&dir, &compiler.version.llvm))
        .with_context(|| {
            format!(
                "no libLLVM of version {} in {}: this rustc has its LLVM built in; use another one",
                compiler.version.llvm,
                lib.display()
            )
        })
}

/// `libLLVM.so.22.1` for version 22.1.8, `libLLVM.so.22.1-rust-1.97.0-nightly` too.
fn library_in(dir: &Path, version: &str) -> Option<PathBuf> {
    let (series, _) = version.rsplit_once('.')?;
    let wanted = format!("libLLVM.so.{series}");
    fs::read_dir(dir)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name().is_some_and(|name| {
                name.to_string_lossy()
                    .strip_prefix(&wanted)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("-rust-"))
            })
        })
}

fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect()
}

/// Makes the directory `lib` hold the library under the name that the linker of bpf-linker looks
/// for, and under the one that the loader looks for.
fn link_llvm(library: &Path, lib: &Path) -> std::io::Result<()> {
    fs::create_dir_all(lib)?;
    let loaded_as = library.file_name().unwrap_or_default();
    for name in ["libLLVM.so".as_ref(), loaded_as] {
        let link = lib.join(name);
        if link.is_symlink() {
            fs::remove_file(&link)?;
        }
        symlink(library, link)?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn example_compiler(llvm: &str) -> Compiler {
    Compiler {
        origin: Origin::Nightly,
        prefix: PathBuf::from("/toolchain"),
        version: shared::Version {
            release: "1.97.0-nightly".to_owned(),
            commit: "e50aa6fba".to_owned(),
            llvm: llvm.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{shared::Version, *};

    #[test]
    fn the_linker_gets_the_llvm_of_its_compiler() {
        let command = linker_command(
            &example_compiler("22.1.4"),
            Path::new("/p"),
            Path::new("/h"),
        );
        let args: Vec<_> = command
            .get_args()
            .map(|arg| arg.to_string_lossy())
            .collect();
        assert!(args.iter().any(|arg| arg == "llvm-22"), "{args:?}");
        assert!(
            command
                .get_envs()
                .any(|(name, value)| name == "LLVM_PREFIX" && value == Some("/p".as_ref()))
        );
    }

    #[test]
    fn each_pair_has_a_directory_of_its_own() {
        assert_eq!(
            example_compiler("22.1.4").pair(),
            "bpf-linker-0.13.0-rustc-1.97.0-nightly-e50aa6fba-llvm-22.1.4"
        );
        assert_ne!(
            example_compiler("22.1.4").pair(),
            example_compiler("22.1.8").pair()
        );
    }

    #[test]
    fn the_library_of_the_right_version_is_taken() {
        let dir = std::env::temp_dir().join(format!("xtask-llvm-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for name in [
            "libLLVM-14.so.1",
            "libLLVM.so.21.1",
            "libLLVM.so.22.1-rust-1.97.0",
        ] {
            fs::write(dir.join(name), "").unwrap();
        }
        let found = library_in(&dir, "22.1.4");
        let none = library_in(&dir, "23.0.1");
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found, Some(dir.join("libLLVM.so.22.1-rust-1.97.0")));
        assert_eq!(none, None);
    }

    #[test]
    fn versions_are_read_and_judged() {
        let text = "rustc 1.96.0 (ac68faa20 2026-05-25)\nbinary: rustc\n\
                    commit-hash: ac68faa20c58cbccd01ee7208bf3b6e93a7d7f96\n\
                    host: x86_64-unknown-linux-gnu\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        let version = Version::parse(text).unwrap();
        assert_eq!(
            (&*version.release, &*version.commit, &*version.llvm),
            ("1.96.0", "ac68faa20", "22.1.8")
        );
        assert!(version.is_usable());
        let but = |release: &str, llvm: &str| Version {
            release: release.to_owned(),
            llvm: llvm.to_owned(),
            ..version.clone()
        };
        assert!(!but("1.63.0", "14.0.6").is_usable(), "Debian's own rustc");
        assert!(
            !but("1.99.0-nightly", "24.0.0").is_usable(),
            "no linker yet"
        );
        assert!(but("1.97.0-nightly", "22.1.4").is_usable());
    }
}
