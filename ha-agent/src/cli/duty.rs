//! `ha-agent drain`, `undrain` and `maintenance on|off`.

use anyhow::Result;
use ha_core::election::Duty;

use crate::api::{Client, types::SetDuty};

/// Arguments of all of them.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Return at once
    #[arg(long)]
    no_wait: bool,
}

/// Arguments of `maintenance`.
#[derive(clap::Args, Debug)]
pub(super) struct Maintenance {
    /// Whether it begins or ends
    switch: Switch,
    #[command(flatten)]
    args: Args,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Switch {
    On,
    Off,
}

/// Has the agent hand everything over.
///
/// # Errors
/// If the agent does not run or refuses.
pub(super) async fn drain(client: &Client, args: Args) -> Result<()> {
    set(client, Duty::Drained, args).await
}

/// Lets the agent take part again.
///
/// # Errors
/// If the agent does not run or refuses.
pub(super) async fn undrain(client: &Client, args: Args) -> Result<()> {
    set(client, Duty::Serve, args).await
}

/// Has the agent serve nothing, or take part again.
///
/// # Errors
/// If the agent does not run or refuses.
pub(super) async fn maintenance(client: &Client, args: Maintenance) -> Result<()> {
    let duty = match args.switch {
        Switch::On => Duty::Maintenance,
        Switch::Off => Duty::Serve,
    };
    set(client, duty, args.args).await
}

async fn set(client: &Client, duty: Duty, args: Args) -> Result<()> {
    let body = SetDuty {
        duty: duty.name().to_owned(),
        wait: !args.no_wait,
    };
    println!("{}", client.set_duty(&body).await?.done);
    Ok(())
}
