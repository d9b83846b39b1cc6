//! `ha-agent doctor`.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{
    config::Config,
    doctor::{self, Permission, Report},
};

/// Exit status if the doctor itself fails: nothing is known, so nothing is well.
const UNKNOWN: u8 = 2;

/// Arguments.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where an interface has no XDP program, attach one for a moment that passes everything; some drivers reset
    /// the NIC for that
    #[arg(long)]
    attach: bool,
}

/// Prints what was found; the exit status is that of the worst.
pub(super) async fn run(config: Config, args: Args) -> ExitCode {
    let permission = Permission {
        attach: args.attach,
    };
    let examined = doctor::examine(config, permission).await;
    match examined.and_then(|report| print(&report, args.json).map(|()| report)) {
        Ok(report) => report.exit_status().into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            UNKNOWN.into()
        }
    }
}

fn print(report: &Report, json: bool) -> Result<()> {
    if json {
        let json = serde_json::to_string_pretty(report).context("cannot write JSON")?;
        println!("{json}");
    } else {
        println!("{report}");
    }
    Ok(())
}
