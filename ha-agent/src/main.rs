//! The agent's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    ha_agent::cli::main()
}
