//! `ha-agent status [--json]`.

mod table;

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    api::{Client, types::Status},
    dataplane,
};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print JSON, as the control socket gives it
    #[arg(long)]
    json: bool,
}

/// Shows what the agent says, or, if it does not run, what the kernel has.
///
/// # Errors
/// If neither can be had.
pub(super) async fn run(client: &Client, pin_dir: &Path, args: &Args) -> Result<()> {
    let status = look(client, pin_dir).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print!("{}", table::render(&status));
    }
    Ok(())
}

async fn look(client: &Client, pin_dir: &Path) -> Result<Status> {
    match client.status().await {
        Ok(status) => Ok(status),
        Err(_) if !client.is_served().await => dataplane::status_of_pins(pin_dir)
            .await
            .context("the agent does not run"),
        // It runs, but is stopped or hung: what the kernel has says more than a time-out.
        Err(error) => dataplane::status_of_pins(pin_dir).await.map_err(|_| error),
    }
}
