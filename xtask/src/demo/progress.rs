//! What the demo is doing: a moving line on a terminal, plain lines elsewhere.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use anyhow::Result;
use ha_lab::scenario::Outcome;
use indicatif::{ProgressBar, ProgressStyle};

/// The progress of the demo.
pub(super) struct Progress {
    /// `None` where nobody watches it move.
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(scenarios: usize, runs: u16, compare: bool) -> Self {
        let systems = if compare { 2 } else { 1 };
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new((scenarios * usize::from(runs) * systems) as u64);
            let style = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg} {elapsed}")
                .expect("the template is well-formed");
            bar.set_style(style);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar }
    }

    /// Something begins.
    pub(super) fn doing(&self, name: &str, doing: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{name}: {doing}")),
            None => eprintln!("{name}: {doing}"),
        }
    }

    /// A scenario is over.
    pub(super) fn done(&self, name: &str, outcome: &Result<Outcome>) {
        let line = match outcome {
            Ok(outcome) if outcome.broken.is_empty() => format!("{name}: done"),
            Ok(outcome) => format!("{name}: {}", outcome.broken.join("; ")),
            Err(error) => format!("{name}: {error:#}"),
        };
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                bar.inc(1);
            }
            None => eprintln!("{line}"),
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
