//! The developers' commands: `cargo xtask --help`.
//!
//! One file a command. Each sees to it by itself that what it needs is installed, so that there is
//! nothing to do before the first one.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod command;
mod demo;
mod load;
mod privilege;
mod run;
mod setup;
mod test;
mod workspace;

use self::bench::Bench;

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
    /// Build the agent and the BPF object in it, and show the object's size and programs
    Build(build::Args),
    /// Load and pin the data path alone on an interface, to look at it with bpftool
    Load(load::Args),
    /// Take away what `load` made
    Unload,
    /// Build the agent and run it as root: `cargo xtask run -- run --config ha.toml`
    Run(run::Args),
    /// Run the tests, and see that they leave nothing behind
    Test(test::Args),
    /// Two nodes, one client, failures: shows what they cost
    Demo(demo::Args),
    /// Measure
    #[command(subcommand)]
    Bench(Bench),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Setup(args) => setup::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Load(args) => load::load(&args),
        Command::Unload => load::unload(),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Bench(bench) => bench::run(bench),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
