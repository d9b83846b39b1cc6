//! Log lines, on standard error.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result, anyhow};
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Environment variable that overrides the configuration's filter.
const VARIABLE: &str = "RUST_LOG";

/// Starts to log as the configuration says.
///
/// # Errors
/// If the filter in the environment is none, or something logs already.
pub fn start(log: &Log) -> Result<()> {
    let directives = std::env::var(VARIABLE).unwrap_or_else(|_| log.filter.clone());
    let filter = EnvFilter::builder()
        .parse(&directives)
        .with_context(|| format!("{VARIABLE}=\"{directives}\" is not a filter"))?;
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!("cannot start to log: {error}"))
}
