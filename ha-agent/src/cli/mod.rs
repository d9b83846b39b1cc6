//! The command line: one file a command.
//!
//! Exit status: 0 if it was done, 1 if it failed, 2 if the command line or the configuration is wrong. `doctor` ends
//! with 1 for warnings and 2 for failures, its own among them.

mod check;
mod detach;
mod doctor;
mod duty;
mod load;
mod promote;
mod release;
mod reload;
mod run;
mod status;
mod switchover;
mod unload;
mod vips;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::{
    api::{Client, client::WrongFile},
    config::{Config, DEFAULT_PATH, DEFAULT_PIN_DIR, DEFAULT_SOCKET, Invalid, Source},
};

/// Exit status for a wrong configuration, the same as clap's for a wrong command line.
const EXIT_USAGE: u8 = 2;

/// Virtual IPs that move between hosts by writing one word
#[derive(Debug, Parser)]
#[command(name = "ha-agent", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    places: Places,
    #[command(subcommand)]
    command: Command,
}

/// Where things are.
#[derive(clap::Args, Debug)]
struct Places {
    /// The configuration file [default: /etc/ha-agent/ha-agent.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The agent's control socket [default: as the configuration says]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Directory of the pinned maps, without the schema number [default: as the configuration says]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pin_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent
    Run,
    /// Check the configuration and say everything that is wrong with it
    Check,
    /// Look at the host and say what is in the way of virtual IPs, what it means, and how to mend it
    Doctor(doctor::Args),
    /// Show groups, roles, lease and counters; also when no agent runs
    Status(status::Args),
    /// Take a group over to this node
    Promote(promote::Args),
    /// Let go of a group, and stay Backup while another node is Active
    Release(release::Args),
    /// Have another node take a group over, which this node serves until then
    Switchover(switchover::Args),
    /// Hand everything over, and from now on serve only what nobody else can
    Drain(duty::Args),
    /// Take part again after `drain`
    Undrain(duty::Args),
    /// Hand everything over and serve nothing (on), or take part again (off)
    Maintenance(duty::Maintenance),
    /// Have the agent read its configuration again, and change what differs while it goes on
    Reload(reload::Args),
    /// Change a group's virtual IPs at run time
    Vips(vips::Args),
    /// Remove program, maps, routes and filters of a stopped agent from this host
    Detach(detach::Args),
    /// Load the data path alone, Active for a few virtual IPs, to look at it
    Load(load::Args),
    /// Remove what `load` made
    Unload,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(status) => status,
        Err(error) => {
            if let Some(invalid) = error.downcast_ref::<Invalid>() {
                eprintln!("{invalid}");
                return EXIT_USAGE.into();
            }
            if let Some(wrong) = error.downcast_ref::<WrongFile>() {
                eprintln!("{wrong}");
                return EXIT_USAGE.into();
            }
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> Result<ExitCode> {
    let Cli { places, command } = cli;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = match command {
        Command::Doctor(args) => {
            return Ok(runtime.block_on(doctor::run(places.configuration()?, args)));
        }
        Command::Run => runtime.block_on(run::run(places.source())),
        Command::Check => {
            check::run(&places.configuration()?, places.config_path());
            Ok(())
        }
        Command::Status(args) => {
            let (client, pin_dir) = (places.client()?, places.pin_dir()?);
            runtime.block_on(status::run(&client, &pin_dir, &args))
        }
        Command::Promote(args) => runtime.block_on(promote::run(&places.client()?, &args)),
        Command::Release(args) => runtime.block_on(release::run(&places.client()?, &args)),
        Command::Switchover(args) => runtime.block_on(switchover::run(&places.client()?, args)),
        Command::Drain(args) => runtime.block_on(duty::drain(&places.client()?, args)),
        Command::Undrain(args) => runtime.block_on(duty::undrain(&places.client()?, args)),
        Command::Maintenance(args) => runtime.block_on(duty::maintenance(&places.client()?, args)),
        Command::Reload(args) => runtime.block_on(reload::run(&places, &args)),
        Command::Vips(args) => runtime.block_on(vips::run(&places.client()?, args)),
        Command::Detach(args) => runtime.block_on(detach::run(&places.pin_dir()?, &args)),
        Command::Load(args) => runtime.block_on(load::run(&places.pin_dir()?, &args)),
        Command::Unload => runtime.block_on(unload::run(&places.pin_dir()?)),
    };
    done.map(|()| ExitCode::SUCCESS)
}

impl Places {
    fn config_path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(DEFAULT_PATH))
    }

    /// The configuration, with what the command line says in place of what the file says.
    fn configuration(&self) -> Result<Config, Invalid> {
        Ok(self.source().read()?.config)
    }

    fn source(&self) -> Source {
        Source {
            path: self.config_path().to_owned(),
            socket: self.socket.clone(),
            pin_dir: self.pin_dir.clone(),
        }
    }

    /// The configuration if there is one: whoever only asks an agent needs none.
    fn optional_configuration(&self) -> Result<Option<Config>, Invalid> {
        if self.config.is_none() && !self.config_path().exists() {
            return Ok(None);
        }
        self.configuration().map(Some)
    }

    fn client(&self) -> Result<Client, Invalid> {
        if let Some(socket) = &self.socket {
            return Ok(Client::new(socket));
        }
        let config = self.optional_configuration()?;
        Ok(Client::new(
            config
                .map_or_else(
                    || PathBuf::from(DEFAULT_SOCKET),
                    |config| config.control.socket,
                )
                .as_path(),
        ))
    }

    fn pin_dir(&self) -> Result<PathBuf, Invalid> {
        if let Some(pin_dir) = &self.pin_dir {
            return Ok(pin_dir.clone());
        }
        // With a socket named, this is about another agent than the configured one, or about none.
        if self.socket.is_some() && self.config.is_none() {
            return Ok(DEFAULT_PIN_DIR.into());
        }
        let config = self.optional_configuration()?;
        Ok(config.map_or_else(|| DEFAULT_PIN_DIR.into(), |config| config.node.pin_dir))
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn places_can_be_named_before_and_after_the_command() {
        for line in [
            ["ha-agent", "--socket", "/s", "status"],
            ["ha-agent", "status", "--socket", "/s"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.places.socket.as_deref(), Some("/s".as_ref()));
            assert!(matches!(cli.command, Command::Status(_)));
        }
    }

    #[test]
    fn detaching_wants_to_be_asked_for() {
        assert!(Cli::try_parse_from(["ha-agent", "detach"]).is_err());
        assert!(Cli::try_parse_from(["ha-agent", "detach", "--all"]).is_ok());
    }
}
