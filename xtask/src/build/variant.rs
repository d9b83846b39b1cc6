//! Agents for the lab that differ from the ordinary one, to be changed to and back.
//!
//! They are built into the same place, with the same name, so each is put aside before the next is built. They
//! are always quick to build: nobody measures them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use ha_lab::under_test::{Variant, variant};

use super::{AMONG_TESTS, Profile, build};

/// Builds them all. To be called before the agent itself is built.
///
/// # Errors
/// If a build fails.
pub(super) fn build_all() -> Result<Vec<(Variant, PathBuf)>> {
    let variants = Variant::ALL.into_iter().map(|which| {
        let features = format!("{},ha-agent/fault-injection", feature(which));
        let selection = [&AMONG_TESTS[..], &["--features", &features]].concat();
        let built = build(Profile::Dev, &selection)?.executable("ha-agent")?;
        let place = variant(&built, which);
        replace(&built, &place)?;
        Ok((which, place))
    });
    variants.collect()
}

/// Puts them where the agent is.
///
/// # Errors
/// If they cannot be copied.
pub(super) fn put_beside(agent: &Path, variants: &[(Variant, PathBuf)]) -> Result<()> {
    for (which, built) in variants {
        let place = variant(agent, *which);
        if *built != place {
            replace(built, &place)?;
        }
    }
    Ok(())
}

const fn feature(which: Variant) -> &'static str {
    match which {
        Variant::Program => "ha-agent/variant-program",
        Variant::Schema => "ha-agent/variant-schema",
    }
}

/// Replaces what is there at once: a program that runs cannot be written to.
fn replace(built: &Path, place: &Path) -> Result<()> {
    let beside = place.with_extension("new");
    fs::copy(built, &beside)
        .and_then(|_| fs::rename(&beside, place))
        .with_context(|| format!("cannot copy {} to {}", built.display(), place.display()))
}
