//! Builds the BPF object that is embedded in the agent, and refuses one without BTF.

mod compile;
mod object;
mod toolchain;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::toolchain::{Compiler, LINKER_VERSION, TARGET};

/// Package and program of the BPF half.
const PACKAGE: &str = "ha-ebpf";
/// Features of the agent that are the BPF half's, too.
const VARIANTS: [&str; 2] = ["variant-program", "variant-schema"];
/// What the build depends on, below the top of the project; cargo watches directories recursively.
const SOURCES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "ha-agent/build",
    "ha-common",
    "ha-ebpf",
    "target/tools",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest
        .parent()
        .ok_or("the agent is not inside its project")?;
    for source in SOURCES.map(|source| root.join(source)) {
        // Of one that is not there cargo would think that it has changed each time.
        if source.exists() {
            println!("cargo::rerun-if-changed={}", source.display());
        }
    }
    println!("cargo::rerun-if-env-changed={}", toolchain::CHOICE);

    let compiler = Compiler::find()?;
    let linker = toolchain::find_linker(&root.join("target/tools"), &compiler).ok_or_else(|| {
        format!(
            "bpf-linker {LINKER_VERSION} for rustc {} is not installed: run `cargo xtask setup`",
            compiler.version.release
        )
    })?;
    for tool in [&compiler.rustc(), &linker] {
        println!("cargo::rerun-if-changed={}", tool.display());
    }

    let own = PathBuf::from(variable("OUT_DIR")?);
    let object = own.join(PACKAGE);
    let shared = Shared::take(&own)?;
    compile(root, &compiler, &linker, &shared.target_dir)?;
    let built = shared.target_dir.join(TARGET).join("release").join(PACKAGE);
    object::check(&built)?;
    fs::copy(&built, &object)
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    println!("cargo::rustc-env=HA_BPF_OBJECT={}", object.display());
    Ok(())
}

/// Where all builds of the agent have the object's dependencies compiled, once for all profiles and features. One
/// at a time: the object itself is overwritten by the next one.
struct Shared {
    target_dir: PathBuf,
    _lock: File,
}

impl Shared {
    /// In the target directory, in which cargo has `<profile>/build/<package>/out` for the build script.
    fn take(own: &Path) -> Result<Self, String> {
        let target_dir = own.ancestors().nth(4).unwrap_or(own).join("bpf");
        let lock = fs::create_dir_all(&target_dir)
            .and_then(|()| File::create(target_dir.join("lock")))
            .and_then(|lock| lock.lock().map(|()| lock))
            .map_err(|error| format!("cannot have {} alone: {error}", target_dir.display()))?;
        Ok(Self {
            target_dir,
            _lock: lock,
        })
    }
}

fn compile(
    root: &Path,
    compiler: &Compiler,
    linker: &Path,
    target_dir: &Path,
) -> Result<(), String> {
    let mut command = compile::cargo_build(compiler, linker);
    command.args(features());
    let output = command
        .current_dir(root)
        .args([
            "--quiet",
            "--locked",
            "--package",
            PACKAGE,
            "--bin",
            PACKAGE,
        ])
        .arg("--target-dir")
        .arg(target_dir)
        .output()
        .map_err(|error| format!("cannot run {:?}: {error}", command.get_program()))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!(
            "{PACKAGE} does not build for BPF with rustc {} and {}:\n{messages}",
            compiler.version.release,
            linker.display()
        )
        .replace('\n', "\ncargo::error="));
    }
    for line in messages.lines().filter(|line| line.contains("warning")) {
        println!("cargo::warning={line}");
    }
    Ok(())
}

/// What chooses one of the lab's variants.
fn features() -> Vec<String> {
    let wanted = VARIANTS.into_iter().filter(|variant| {
        let name = variant.replace('-', "_").to_uppercase();
        env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
    });
    wanted
        .map(|variant| format!("--features={variant}"))
        .collect()
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}, which cargo sets: {error}"))
}
