//! `cargo xtask test`: everything that can be tested on this machine, cheapest first.

mod parts;
mod programs;
mod traces;

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use comfy_table::{Table, presets::UTF8_BORDERS_ONLY};

use self::{
    parts::{Part, Plan},
    traces::Traces,
};
use crate::{
    command,
    privilege::Privilege,
    setup::{self, Scope},
};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to run; everything if nothing is named
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Only tests whose names contain one of these
    #[arg(last = true, value_name = "NAME")]
    names: Vec<String>,
}

/// How a part went.
#[derive(Debug)]
struct Outcome {
    name: String,
    took: Duration,
    result: Result<()>,
}

/// Runs the command: all parts, also after one has failed, then the summary.
///
/// # Errors
/// If a part failed, or left something behind in the system.
pub(crate) fn run(args: &Args) -> Result<()> {
    setup::ensure(Scope::Lab)?;
    let privilege = Privilege::of_this_process();
    let plan = Plan {
        privilege,
        names: &args.names,
        is_short: args.parts.is_empty(),
    };
    let parts = match &*args.parts {
        [] => &Part::ALL,
        named => named,
    };
    let before = Traces::now(privilege)?;
    let mut outcomes: Vec<_> = parts.iter().map(|part| run_part(*part, &plan)).collect();
    outcomes.push(timed("nothing left behind", || {
        traces::check(privilege, &before)
    }));
    summarise(&outcomes)
}

fn run_part(part: Part, plan: &Plan<'_>) -> Outcome {
    println!("\n==== {part} ====");
    timed(&part.to_string(), || {
        let mut result = Ok(());
        for mut command in plan.commands(part)? {
            command.env(traces::MARK, traces::mark());
            result = result.and(command::run(&mut command));
        }
        result
    })
}

fn timed(name: &str, work: impl FnOnce() -> Result<()>) -> Outcome {
    let begun = Instant::now();
    let result = work();
    Outcome {
        name: name.to_owned(),
        took: begun.elapsed(),
        result,
    }
}

fn summarise(outcomes: &[Outcome]) -> Result<()> {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_header(["part", "result", "time"]);
    for outcome in outcomes {
        table.add_row([
            outcome.name.clone(),
            Verdict(&outcome.result).to_string(),
            format!("{:.1} s", outcome.took.as_secs_f64()),
        ]);
    }
    println!("\n{table}");
    for outcome in outcomes {
        if let Err(error) = &outcome.result {
            println!("{}: {error:#}", outcome.name);
        }
    }
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .count();
    if failed > 0 {
        bail!("{failed} of {} failed", outcomes.len());
    }
    Ok(())
}

struct Verdict<'a>(&'a Result<()>);

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Ok(()) => "passed",
            Err(_) => "FAILED",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole() {
        let passed = || timed("a", || Ok(()));
        assert!(summarise(&[passed(), passed()]).is_ok());
        let failed = timed("b", || bail!("broken"));
        let error = summarise(&[passed(), failed]).unwrap_err();
        assert_eq!(error.to_string(), "1 of 2 failed");
    }
}
