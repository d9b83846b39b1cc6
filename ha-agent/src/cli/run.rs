//! `ha-agent run`.

use anyhow::Result;

use crate::{config::Source, daemon, log, privilege};

/// Runs the agent until it is told to stop.
///
/// # Errors
/// If it cannot start, or cannot go on.
pub(super) async fn run(mut source: Source) -> Result<()> {
    // It is read again later.
    source.path = std::path::absolute(&source.path)?;
    let loaded = source.read()?;
    log::start(&loaded.config.log)?;
    privilege::check()?;
    daemon::run(loaded, source).await
}
