//! Agents for the lab that differ from the ordinary one, to be changed to and back.
//!
//! They are built into the same place, with the same name, so each is put aside before the next is built. Most of
//! what they consist of is shared with the ordinary agent, and not compiled again.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ha_lab::under_test::{Variant, variant};

use super::{Profile, build};

/// Builds them all, and puts them beside where the agent will be. To be called before the agent itself is built.
///
/// # Errors
/// If a build fails.
pub(super) fn all() -> Result<()> {
    for which in Variant::ALL {
        let features = format!("{},ha-agent/fault-injection", feature(which));
        let selection = ["--package", "ha-agent", "--features", &features];
        let built = build(Profile::Release, &selection)?.executable("ha-agent")?;
        put_aside(&built, &variant(&built, which))?;
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
fn put_aside(built: &Path, place: &Path) -> Result<()> {
    let beside = place.with_extension("new");
    fs::copy(built, &beside)
        .and_then(|_| fs::rename(&beside, place))
        .with_context(|| format!("cannot copy {} to {}", built.display(), place.display()))
}
