//! `ha-agent unload`.

use std::path::Path;

use anyhow::Result;

use super::detach;

/// Removes what `ha-agent load` made.
///
/// # Errors
/// If something cannot be removed.
pub(super) async fn run(pin_dir: &Path) -> Result<()> {
    detach::everything(pin_dir).await
}
