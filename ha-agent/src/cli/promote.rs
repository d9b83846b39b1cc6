//! `ha-agent promote GROUP`.

use anyhow::Result;

use crate::api::Client;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The group's name in the configuration
    group: String,
}

/// Has the agent take the group over.
///
/// # Errors
/// If the agent does not run or refuses.
pub(super) async fn run(client: &Client, args: &Args) -> Result<()> {
    println!("{}", client.promote(&args.group).await?.done);
    Ok(())
}
