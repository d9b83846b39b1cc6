//! `ha-agent run`.

use anyhow::Result;

use crate::{config::Config, daemon, log, privilege};

/// Runs the agent until it is told to stop.
///
/// # Errors
/// If it cannot start, or cannot go on.
pub(super) async fn run(config: Config) -> Result<()> {
    log::start(&config.log)?;
    privilege::check()?;
    daemon::run(config).await
}
