//! `cargo xtask demo`: two nodes, a client, failures; and what they cost.

mod json;
mod palette;
mod plot;
mod progress;
mod runs;
mod table;

use std::{fs, os::unix::process::CommandExt, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::{ValueEnum, builder::PossibleValue};
use ha_lab::{
    cluster::System,
    scenario::{self, Scenario, many_vips_are_as_quick},
};

use self::{progress::Progress, runs::Runs};
use crate::{
    build::{self, Profile},
    command::shown,
    privilege::Privilege,
    setup::{self, Scope},
    workspace,
};

/// Arguments of `cargo xtask demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Play this scenario, and `quiet` for comparison; may be given several times [default: all]
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<Choice>,
    /// Play each scenario this often; tables and reports then show its worst run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Play the same with keepalived, for comparison
    #[arg(long)]
    compare: bool,
    /// Write the results to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the picture into this file [default: target/demo.svg]
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Use this agent instead of building one
    #[arg(long, value_name = "PROGRAM")]
    agent: Option<PathBuf>,
}

/// A scenario on the command line.
#[derive(Clone, Copy, Debug)]
struct Choice(&'static Scenario);

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        static CHOICES: [Choice; scenario::ALL.len()] = {
            let mut choices = [Choice(scenario::ALL[0]); scenario::ALL.len()];
            let mut i = 0;
            while i < choices.len() {
                choices[i] = Choice(scenario::ALL[i]);
                i += 1;
            }
            choices
        };
        &CHOICES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.what))
    }
}

/// Runs the command.
///
/// # Errors
/// If a scenario could not be played, or broke what is promised for it.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Scope::Lab)?;
    let program = match &args.agent {
        Some(program) => fs::canonicalize(program)
            .with_context(|| format!("there is no agent at {}", program.display()))?,
        None if chosen(&args.scenarios)
            .iter()
            .any(|chosen| chosen.needs_variants()) =>
        {
            build::agent_with_variants()?.program
        }
        None => build::agent(Profile::Release)?.program,
    };
    let privilege = Privilege::of_this_process();
    if privilege != Privilege::Root {
        return again_as_root(privilege, args, program);
    }

    let scenarios = chosen(&args.scenarios);
    let progress = Progress::new(scenarios.len(), args.runs, args.compare);
    let ours = play(
        &System::HaAgent(program),
        "",
        &scenarios,
        args.runs,
        &progress,
    );
    let theirs = if args.compare {
        play(
            &System::Keepalived,
            "keepalived: ",
            &scenarios,
            args.runs,
            &progress,
        )
    } else {
        Vec::new()
    };
    progress.finish();

    let plot = args
        .plot
        .clone()
        .unwrap_or_else(|| workspace::root().join("target/demo.svg"));
    plot::draw(&plot, &ours, &theirs).with_context(|| format!("drawing {}", plot.display()))?;
    if let Some(file) = &args.json {
        json::write(file, &ours, &theirs)?;
    }
    table::print(&ours, &theirs);
    println!("\nPicture: {}", plot.display());
    if let Some(file) = &args.json {
        println!("Results: {}", file.display());
    }
    verdict(&ours)
}

/// In the order in which they are defined, each once, and `quiet` first to show the machine's noise.
fn chosen(choices: &[Choice]) -> Vec<&'static Scenario> {
    let quiet = scenario::ALL[0];
    scenario::ALL
        .into_iter()
        .filter(|scenario| {
            choices.is_empty()
                || scenario.name == quiet.name
                || choices.iter().any(|choice| choice.0.name == scenario.name)
        })
        .collect()
}

fn play(
    system: &System,
    label: &str,
    scenarios: &[&'static Scenario],
    runs: u16,
    progress: &Progress,
) -> Vec<Runs> {
    let mut played: Vec<Runs> = scenarios.iter().copied().map(Runs::new).collect();
    // Round by round, so that a change of the machine's mood meets all scenarios alike.
    for _ in 0..runs {
        for runs in &mut played {
            let name = format!("{label}{}", runs.scenario.name);
            let outcome = runs
                .scenario
                .run(system, &mut |doing| progress.doing(&name, doing));
            progress.done(&name, &outcome);
            runs.add(outcome);
        }
    }
    played
}

/// The error that says which promises were broken, by single runs and by their medians.
fn verdict(ours: &[Runs]) -> Result<()> {
    let mut faults: Vec<String> = ours.iter().flat_map(Runs::faults).collect();
    let typical: Vec<_> = ours.iter().filter_map(Runs::typical).cloned().collect();
    faults.extend(many_vips_are_as_quick(&typical).map(|fault| format!("many-vips: {fault}")));
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "the demo did not go as promised:\n  {}",
        faults.join("\n  ")
    )
}

/// Network namespaces need root: this process becomes one that has it.
fn again_as_root(privilege: Privilege, args: &Args, agent: PathBuf) -> Result<()> {
    let this = std::env::current_exe().context("finding this program")?;
    let mut command = privilege.command(this);
    command.arg("demo").arg("--agent").arg(agent);
    for choice in &args.scenarios {
        command.args(["--scenario", choice.0.name]);
    }
    command.arg("--runs").arg(args.runs.to_string());
    if args.compare {
        command.arg("--compare");
    }
    for (flag, file) in [("--json", &args.json), ("--plot", &args.plot)] {
        if let Some(file) = file {
            command.arg(flag).arg(file);
        }
    }
    if privilege == Privilege::None {
        bail!(
            "the demo makes network namespaces, which needs root; run\n  {}",
            shown(&command)
        );
    }
    eprintln!("$ {}", shown(&command));
    Err(command.exec()).with_context(|| format!("cannot start `{}`", shown(&command)))
}
