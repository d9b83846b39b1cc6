//! What setup found on the machine, without network and without changing anything.

use std::path::PathBuf;

use anyhow::{Error, Result};

use crate::setup::{
    Scope, bpffs,
    packages::{Need, PROGRAMS},
    toolchain::{self, Compiler, Origin},
};

/// What is there and what is missing.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Where the user wants the BPF compiler to come from, if it matters.
    pub(crate) choice: Option<Origin>,
    /// The BPF compiler that would be used.
    pub(crate) compiler: Option<Compiler>,
    /// The linker that fits it.
    pub(crate) linker: Option<PathBuf>,
    /// A nightly of rustup that only lacks the source of `core`.
    pub(crate) nightly_without_source: Option<String>,
    /// Programs that are not found.
    pub(crate) missing: Vec<&'static Need>,
    /// Whether the file system of pinned BPF objects is mounted.
    pub(crate) has_bpffs: bool,
}

impl Facts {
    /// Looks at the machine for what `scope` needs; what it does not need counts as there.
    ///
    /// # Errors
    /// If the user's choice of a compiler is not understood.
    pub(crate) fn survey(scope: Scope) -> Result<Self> {
        let choice = toolchain::choice().map_err(Error::msg)?;
        let compiler = Compiler::find().ok();
        let missing = PROGRAMS
            .iter()
            .filter(|need| need.scope <= scope && !need.is_met())
            .collect();
        Ok(Self {
            choice,
            linker: compiler.as_ref().and_then(toolchain::fitting_linker),
            nightly_without_source: toolchain::nightlies().first().and_then(|prefix| {
                let name = prefix.file_name()?;
                Some(name.to_string_lossy().into_owned())
            }),
            compiler,
            missing,
            has_bpffs: scope < Scope::Lab || bpffs::is_mounted(),
        })
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.compiler.is_some()
            && self.linker.is_some()
            && self.missing.is_empty()
            && self.has_bpffs
    }
}
