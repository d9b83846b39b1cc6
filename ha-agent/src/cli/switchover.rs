//! `ha-agent switchover GROUP [--to NODE]`.

use anyhow::Result;

use crate::api::{Client, types::Switchover};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The group's name in the configuration
    group: String,
    /// The node that is to be Active: the name of a peer, its address, or this node's own name
    /// [default: the first peer that lives; on a Backup, this node]
    #[arg(long, value_name = "NODE")]
    to: Option<String>,
    /// Return as soon as the other node has been asked
    #[arg(long)]
    no_wait: bool,
}

/// Has the agent hand the group over.
///
/// # Errors
/// If the agent does not run or refuses, or nobody takes over.
pub(super) async fn run(client: &Client, args: Args) -> Result<()> {
    let body = Switchover {
        to: args.to,
        wait: !args.no_wait,
    };
    println!("{}", client.switch_over(&args.group, &body).await?.done);
    Ok(())
}
