//! `ha-agent vips add|del GROUP ADDRESS…`.

use std::net::IpAddr;

use anyhow::Result;

use crate::api::Client;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Add virtual IPs to a group until the agent stops; write them into the configuration to keep
    /// them
    Add(Which),
    /// Take virtual IPs from a group until the agent stops
    Del(Which),
}

#[derive(clap::Args, Debug)]
struct Which {
    /// The group's name in the configuration
    group: String,
    /// The addresses
    #[arg(required = true)]
    vips: Vec<IpAddr>,
}

/// Has the agent change the group's addresses.
///
/// # Errors
/// If the agent does not run or refuses.
pub(super) async fn run(client: &Client, args: Args) -> Result<()> {
    let done = match args.action {
        Action::Add(Which { group, vips }) => client.add_vips(&group, vips).await?,
        Action::Del(Which { group, vips }) => client.del_vips(&group, vips).await?,
    };
    println!("{}", done.done);
    Ok(())
}
