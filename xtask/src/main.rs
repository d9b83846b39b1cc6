//! The developers' commands: `cargo xtask --help`.
//!
//! One file a command. Each sees to it by itself that what it needs is installed, so that there is
//! nothing to do before the first one.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod command;
mod privilege;
mod setup;
mod workspace;

/// Set a machine up, build, load, run, test, demonstrate and measure the failover agent
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what is missing to build and run everything; the other commands do this themselves
    Setup(setup::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Setup(args) => setup::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
