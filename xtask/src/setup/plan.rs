//! From what is missing to what is to be done: pure, so that it can be tested without a machine.

use std::fmt;

use crate::setup::{
    facts::Facts,
    packages,
    packages::Need,
    toolchain::{LINKER_VERSION, Origin},
};

/// What setup is going to do, in this order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Debian packages to install.
    pub(crate) packages: Vec<&'static str>,
    /// The toolchain of rustup to which the source of `core` is added.
    pub(crate) rust_src: Option<String>,
    /// Whether the linker is built.
    pub(crate) linker: bool,
    /// Whether bpffs is mounted.
    pub(crate) bpffs: bool,
    /// What cannot be had here.
    pub(crate) impossible: Vec<Impossible>,
}

/// Something that is missing and that setup cannot get.
#[derive(Debug)]
pub(crate) enum Impossible {
    /// No way to a BPF compiler.
    Compiler,
    /// No package for a program.
    Package(&'static Need),
}

/// The packages that would mend what is missing: what the package manager is asked about.
pub(crate) fn wanted(facts: &Facts) -> Vec<&'static str> {
    let compiler = match (&facts.compiler, facts.choice) {
        (None, None | Some(Origin::Debian)) => &packages::COMPILER[..],
        (None, Some(Origin::Nightly)) | (Some(_), _) => &[],
    };
    let lab = facts.missing.iter().map(|need| need.package);
    compiler.iter().copied().chain(lab).collect()
}

impl Plan {
    /// What to do about `facts` when the package manager offers the packages `offered`.
    pub(crate) fn new(facts: &Facts, offered: &[&str]) -> Self {
        let mut plan = Self {
            linker: facts.linker.is_none(),
            bpffs: !facts.has_bpffs,
            ..Self::default()
        };
        plan.add_compiler(facts, offered);
        for need in &facts.missing {
            if offered.contains(&need.package) {
                plan.packages.push(need.package);
            } else {
                plan.impossible.push(Impossible::Package(need));
            }
        }
        plan
    }

    fn add_compiler(&mut self, facts: &Facts, offered: &[&str]) {
        if facts.compiler.is_some() {
            return;
        }
        let debian = packages::COMPILER.iter().all(|name| offered.contains(name));
        let nightly = facts
            .nightly_without_source
            .as_ref()
            .filter(|_| facts.choice != Some(Origin::Debian));
        if debian {
            self.packages.extend(packages::COMPILER);
        } else if let Some(toolchain) = nightly {
            self.rust_src = Some(toolchain.clone());
        } else {
            self.impossible.push(Impossible::Compiler);
            self.linker = false;
        }
    }
}

/// What it is going to do, one line each.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.packages.is_empty() {
            writeln!(f, "  install the packages {}", self.packages.join(" "))?;
        }
        if let Some(toolchain) = &self.rust_src {
            writeln!(f, "  add rust-src to the Rust toolchain {toolchain}")?;
        }
        if self.linker {
            writeln!(
                f,
                "  build bpf-linker {LINKER_VERSION} into target/tools (a minute or two)"
            )?;
        }
        if self.bpffs {
            writeln!(f, "  mount bpffs at /sys/fs/bpf")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{packages::PROGRAMS, toolchain::example_compiler};

    fn complete() -> Facts {
        Facts {
            choice: None,
            compiler: Some(example_compiler("22.1.8")),
            linker: Some("/tools/bpf-linker".into()),
            nightly_without_source: None,
            missing: Vec::new(),
            has_bpffs: true,
        }
    }

    fn fresh() -> Facts {
        Facts {
            choice: None,
            compiler: None,
            linker: None,
            nightly_without_source: None,
            missing: PROGRAMS.iter().collect(),
            has_bpffs: false,
        }
    }

    #[test]
    fn a_complete_machine_is_left_alone() {
        let facts = complete();
        assert!(facts.is_complete());
        assert!(wanted(&facts).is_empty());
        assert_eq!(Plan::new(&facts, &[]).to_string(), "");
    }

    #[test]
    fn a_fresh_machine_gets_everything_at_once() {
        let facts = fresh();
        let offered = wanted(&facts);
        let plan = Plan::new(&facts, &offered);
        assert_eq!(plan.packages, offered);
        assert!(plan.linker && plan.bpffs && plan.impossible.is_empty());
        assert_eq!(plan.rust_src, None);
    }

    #[test]
    fn without_debians_compiler_a_nightly_serves() {
        let facts = Facts {
            nightly_without_source: Some("nightly-x".to_owned()),
            ..fresh()
        };
        // One of the three is not offered: the compiler would not work.
        let mut offered = wanted(&facts);
        offered.retain(|package| *package != packages::COMPILER[2]);
        let plan = Plan::new(&facts, &offered);
        assert_eq!(plan.rust_src.as_deref(), Some("nightly-x"));
        assert!(!plan.packages.contains(&packages::COMPILER[0]));
        assert!(plan.linker && plan.impossible.is_empty());
    }

    #[test]
    fn the_user_chooses_between_the_ways() {
        let facts = |choice| Facts {
            choice: Some(choice),
            nightly_without_source: Some("nightly-x".to_owned()),
            ..fresh()
        };
        let nightly = facts(Origin::Nightly);
        let plan = Plan::new(&nightly, &wanted(&nightly));
        assert_eq!(plan.rust_src.as_deref(), Some("nightly-x"));
        assert!(!plan.packages.contains(&packages::COMPILER[0]));

        let debian = facts(Origin::Debian);
        let plan = Plan::new(&debian, &wanted(&debian));
        assert_eq!(plan.rust_src, None);
        assert!(plan.packages.contains(&packages::COMPILER[0]));
        let nothing_offered = Plan::new(&debian, &[]);
        assert!(matches!(
            nothing_offered.impossible[0],
            Impossible::Compiler
        ));
    }

    #[test]
    fn what_cannot_be_had_is_named_and_the_rest_goes_on() {
        let facts = fresh();
        let plan = Plan::new(&facts, &["ethtool"]);
        assert_eq!(plan.packages, ["ethtool"]);
        assert!(!plan.linker, "a linker without a compiler is of no use");
        assert!(matches!(plan.impossible[0], Impossible::Compiler));
        assert_eq!(
            plan.impossible.len(),
            PROGRAMS.len(),
            "all but one, and the compiler"
        );
    }

    #[test]
    fn only_the_linker_is_built_when_only_it_is_missing() {
        let facts = Facts {
            linker: None,
            ..complete()
        };
        assert!(wanted(&facts).is_empty());
        let plan = Plan::new(&facts, &[]);
        assert!(plan.linker && plan.packages.is_empty() && !plan.bpffs);
    }
}
