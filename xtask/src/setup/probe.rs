//! Tries a linker that was not built for the compiler: one that the user has in `PATH`.
//!
//! A linker whose LLVM is older than the compiler's fails, or leaves the BTF out without a word
//! (bpf-linker #321, #387). So a small program is compiled once, and the result is remembered.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::UNIX_EPOCH,
};

use crate::{
    command::capture,
    setup::toolchain::{Compiler, Origin, TARGET},
};

const PROGRAM: &str = r#"
#![no_std]
#![no_main]
#[unsafe(no_mangle)]
#[unsafe(link_section = "xdp")]
extern "C" fn probe(context: *mut u8) -> u32 {
    if context.is_null() { 1 } else { 2 }
}
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
"#;

/// Whether `compiler` and `linker` have made an object with BTF, now or the last time.
pub(crate) fn has_worked(compiler: &Compiler, linker: &Path, tools: &Path) -> bool {
    let memory = tools.join(compiler.pair()).join("tried");
    let now = fingerprint(linker);
    if fs::read_to_string(&memory).is_ok_and(|then| then == now) {
        return true;
    }
    let Some(dir) = memory.parent() else {
        return false;
    };
    let worked = fs::create_dir_all(dir).is_ok() && works(compiler, linker, dir);
    if worked {
        // If it cannot be remembered it is tried again, which costs only time.
        let _ = fs::write(memory, now);
    }
    worked
}

fn works(compiler: &Compiler, linker: &Path, dir: &Path) -> bool {
    match compiler.origin {
        Origin::Debian => {}
        // It has no prebuilt `core`, so trying takes as long as building the linker for it.
        Origin::Nightly => return false,
    }
    let source = dir.join("probe.rs");
    let object = dir.join("probe.o");
    fs::write(&source, PROGRAM).is_ok()
        && capture(&mut compile(compiler, linker, &source, &object)).is_ok()
        && fs::read(object).is_ok_and(|bytes| has_btf(&bytes))
}

fn compile(compiler: &Compiler, linker: &Path, source: &Path, object: &Path) -> Command {
    let mut command = Command::new(compiler.rustc());
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["--edition", "2024", "--target", TARGET, "-Cpanic=abort"])
        .args(["-Copt-level=3", "-Cdebuginfo=2", "-Clink-arg=--btf"])
        .arg(format!("-Clinker={}", linker.display()))
        .arg("-o")
        .arg(object)
        .arg(source);
    command
}

/// Whether the table of section names has one that is `.BTF`.
fn has_btf(object: &[u8]) -> bool {
    let name = b"\0.BTF\0";
    object.windows(name.len()).any(|window| window == name)
}

/// Changes when the file does.
fn fingerprint(file: &Path) -> String {
    let meta = fs::metadata(file).ok();
    let size = meta.as_ref().map_or(0, fs::Metadata::len);
    let changed = meta
        .and_then(|meta| meta.modified().ok()?.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |time| time.as_secs());
    format!("{} {size} {changed}\n", PathBuf::from(file).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn btf_is_told_from_its_relocations() {
        assert!(has_btf(b"\0.text\0.BTF\0.BTF.ext\0"));
        assert!(!has_btf(b"\0.text\0.rel.BTF\0.BTF.ext\0"));
    }

    #[test]
    fn a_changed_file_has_another_fingerprint() {
        let file = std::env::temp_dir().join(format!("xtask-probe-{}", std::process::id()));
        fs::write(&file, "a").unwrap();
        let before = fingerprint(&file);
        fs::write(&file, "ab").unwrap();
        let after = fingerprint(&file);
        fs::remove_file(&file).unwrap();
        assert_ne!(before, after);
    }
}
