//! Finds the compiler and the linker of the BPF object. The build script runs them; `cargo xtask
//! setup` includes this file too, to install what is missing. Nothing but `std`, for both.
//!
//! The linker reads what the compiler's LLVM wrote, so the two are a pair: a linker with an older
//! LLVM fails, or silently drops the BTF. `setup` builds the linker against the LLVM of the very
//! compiler that was found, and keeps it in a directory that is named after both.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Version of bpf-linker.
pub(crate) const LINKER_VERSION: &str = "0.13.0";
/// Majors of LLVM that this version can be built for, oldest and newest.
pub(crate) const LLVM_MAJORS: (u32, u32) = (21, 23);
/// The oldest rustc whose `core` compiles for BPF in the edition of the project (1.x).
const OLDEST_RUSTC_MINOR: u32 = 90;
/// The target; the byte order is that of all machines that the agent runs on.
pub(crate) const TARGET: &str = "bpfel-unknown-none";
/// Environment variable that chooses the compiler: `debian` or `nightly`.
pub(crate) const CHOICE: &str = "HA_BPF_COMPILER";
/// The program of Debian's `rustc-web`, `cargo-web` and `libstd-rust-web-dev-bpf`.
const DEBIAN_BIN: &str = "/usr/bin";

/// Where a compiler comes from, and with it how it gets a `core` for BPF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Debian, with a prebuilt `core`.
    Debian,
    /// A nightly of rustup, which builds `core` from the component `rust-src`.
    Nightly,
}

/// A rustc that compiles for BPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The directory that holds `bin/rustc` and `lib`.
    pub(crate) prefix: PathBuf,
    /// What `rustc -vV` says.
    pub(crate) version: Version,
}

/// The origin that [`CHOICE`] names, if it names one.
///
/// # Errors
/// A sentence that names what is wrong with it, and the mend.
pub(crate) fn choice() -> Result<Option<Origin>, String> {
    match env::var(CHOICE).unwrap_or_default().as_str() {
        "" => Ok(None),
        "debian" => Ok(Some(Origin::Debian)),
        "nightly" => Ok(Some(Origin::Nightly)),
        other => Err(format!(
            "{CHOICE} is \"{other}\": set it to debian or nightly"
        )),
    }
}

/// What `rustc -vV` says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// For example `1.97.0-nightly`.
    pub(crate) release: String,
    /// The commit that it was built from, abbreviated.
    pub(crate) commit: String,
    /// Version of its LLVM, for example `22.1.4`.
    pub(crate) llvm: String,
}

impl Compiler {
    /// The compiler to use: the one named by [`CHOICE`]; else Debian's if it is there, else a nightly.
    ///
    /// # Errors
    /// A sentence that names what is missing, or wrong with the choice, and the mend.
    pub(crate) fn find() -> Result<Self, String> {
        let (found, missing) = match choice()? {
            None => (
                Self::debian().or_else(Self::nightly),
                "no compiler for BPF found",
            ),
            Some(Origin::Debian) => (Self::debian(), "Debian's compiler for BPF is not installed"),
            Some(Origin::Nightly) => (Self::nightly(), "no nightly of rustup with rust-src found"),
        };
        found.ok_or_else(|| format!("{missing}: run `cargo xtask setup`"))
    }

    /// Debian's, if it is there with its `core` for BPF.
    pub(crate) fn debian() -> Option<Self> {
        let bin = Path::new(DEBIAN_BIN);
        let prefix = bin.parent()?;
        let core = prefix.join("lib/rustlib").join(TARGET);
        if !core.is_dir() || !bin.join("cargo").is_file() {
            return None;
        }
        Self::usable(Origin::Debian, prefix)
    }

    /// The newest nightly of rustup that has `rust-src`.
    pub(crate) fn nightly() -> Option<Self> {
        nightlies()
            .into_iter()
            .filter(|prefix| has_rust_src(prefix))
            .find_map(|prefix| Self::usable(Origin::Nightly, &prefix))
    }

    fn usable(origin: Origin, prefix: &Path) -> Option<Self> {
        let version = Version::of(&prefix.join("bin/rustc"))?;
        version.is_usable().then(|| Self {
            origin,
            prefix: prefix.to_owned(),
            version,
        })
    }

    /// The compiler's program.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.prefix.join("bin/rustc")
    }

    /// Name of the directory that holds the linker built for this compiler.
    pub(crate) fn pair(&self) -> String {
        let Version {
            release,
            commit,
            llvm,
        } = &self.version;
        format!("bpf-linker-{LINKER_VERSION}-rustc-{release}-{commit}-llvm-{llvm}")
    }
}

impl Version {
    fn of(rustc: &Path) -> Option<Self> {
        let output = Command::new(rustc)
            .arg("-vV")
            .stderr(Stdio::null())
            .output()
            .ok()?;
        Self::parse(&String::from_utf8(output.stdout).ok()?)
    }

    /// Reads the output of `rustc -vV`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let commit = field("commit-hash")?;
        Some(Self {
            release: field("release")?.to_owned(),
            commit: commit.get(..9).unwrap_or(commit).to_owned(),
            llvm: field("LLVM version")?.to_owned(),
        })
    }

    /// The first number of its LLVM's version.
    pub(crate) fn llvm_major(&self) -> Option<u32> {
        self.llvm.split('.').next()?.parse().ok()
    }

    /// Whether it is new enough for the project, and bpf-linker for it.
    pub(crate) fn is_usable(&self) -> bool {
        let minor = self
            .release
            .strip_prefix("1.")
            .and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        let (oldest, newest) = LLVM_MAJORS;
        minor.is_some_and(|minor| minor >= OLDEST_RUSTC_MINOR)
            && self
                .llvm_major()
                .is_some_and(|major| (oldest..=newest).contains(&major))
    }
}

/// The nightlies of rustup, newest first: `nightly` itself, then the dated ones.
pub(crate) fn nightlies() -> Vec<PathBuf> {
    let home = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".rustup")));
    let toolchains = home.and_then(|home| fs::read_dir(home.join("toolchains")).ok());
    let mut found: Vec<_> = toolchains
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("nightly-"))
        })
        .collect();
    // "nightly-x86_64…" sorts after "nightly-2026-05-19-x86_64…".
    found.sort();
    found.reverse();
    found
}

fn has_rust_src(prefix: &Path) -> bool {
    prefix
        .join("lib/rustlib/src/rust/library/core/Cargo.toml")
        .is_file()
}

/// The linker that `setup` built for `compiler` below the directory `tools`.
pub(crate) fn paired_linker(tools: &Path, compiler: &Compiler) -> PathBuf {
    tools.join(compiler.pair()).join("bin/bpf-linker")
}

/// The linker to use with `compiler`: the one built for it below `tools`, else one of the right
/// version in `PATH`.
pub(crate) fn find_linker(tools: &Path, compiler: &Compiler) -> Option<PathBuf> {
    let paired = paired_linker(tools, compiler);
    if is_pinned_linker(&paired) {
        return Some(paired);
    }
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join("bpf-linker"))
        .find(|linker| is_pinned_linker(linker))
}

fn is_pinned_linker(linker: &Path) -> bool {
    let output = Command::new(linker)
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).trim() == format!("bpf-linker {LINKER_VERSION}")
    })
}
