//! What setup found on the machine, without network and without changing anything.

use std::path::PathBuf;

use crate::setup::{
    Scope, bpffs,
    packages::{LAB, Need},
    toolchain::{self, Compiler},
};

/// What is there and what is missing.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The BPF compiler that would be used.
    pub(crate) compiler: Option<Compiler>,
    /// The linker that fits it.
    pub(crate) linker: Option<PathBuf>,
    /// A nightly of rustup that only lacks the source of `core`.
    pub(crate) nightly_without_source: Option<String>,
    /// What the lab needs and does not find.
    pub(crate) missing: Vec<&'static Need>,
    /// Whether the file system of pinned BPF objects is mounted.
    pub(crate) has_bpffs: bool,
}

impl Facts {
    /// Looks at the machine for what `scope` needs; what it does not need counts as there.
    pub(crate) fn survey(scope: Scope) -> Self {
        let compiler = Compiler::find().ok();
        let (missing, has_bpffs) = match scope {
            Scope::Build => (Vec::new(), true),
            Scope::Lab => (
                LAB.iter().filter(|need| !need.is_met()).collect(),
                bpffs::is_mounted(),
            ),
        };
        Self {
            linker: compiler.as_ref().and_then(toolchain::fitting_linker),
            nightly_without_source: toolchain::nightlies().first().and_then(|prefix| {
                let name = prefix.file_name()?;
                Some(name.to_string_lossy().into_owned())
            }),
            compiler,
            missing,
            has_bpffs,
        }
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.compiler.is_some()
            && self.linker.is_some()
            && self.missing.is_empty()
            && self.has_bpffs
    }
}
