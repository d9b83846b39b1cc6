//! The results for programs.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use ha_lab::{report::SplitReport, scenario::Outcome};
use serde::Serialize;

use super::runs::Runs;

#[derive(Serialize)]
struct Document<'a> {
    /// Release of the kernel, as `uname -r` says it.
    kernel: String,
    scenarios: Vec<Entry<'a>>,
    /// The same with keepalived, if asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keepalived: Vec<Entry<'a>>,
}

/// A scenario: its worst run, and the key figures of all runs and the median if there was more than one.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    worst: &'a Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    median_outage_ms: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Figures>,
}

#[derive(Serialize)]
struct Figures {
    probes_lost: u64,
    outage_ms: f64,
    takeover_ms: Option<f64>,
    dual_answers: u64,
    role_changes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_frames: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<SplitReport>,
}

/// Writes the results.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn write(file: &Path, ours: &[Runs], theirs: &[Runs]) -> Result<()> {
    let document = Document {
        kernel: kernel()?,
        scenarios: ours.iter().filter_map(Entry::of).collect(),
        keepalived: theirs.iter().filter_map(Entry::of).collect(),
    };
    let text = serde_json::to_string_pretty(&document)? + "\n";
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

impl<'a> Entry<'a> {
    /// `None` for a scenario that could not be played.
    fn of(runs: &'a Runs) -> Option<Self> {
        let several = runs.outcomes().len() > 1;
        let figures = runs.outcomes().iter().map(Figures::of);
        Some(Self {
            worst: runs.worst()?,
            median_outage_ms: runs.median_outage_ms(),
            runs: figures.filter(|_| several).collect(),
        })
    }
}

impl Figures {
    fn of(outcome: &Outcome) -> Self {
        Self {
            probes_lost: outcome.report.probes_lost,
            outage_ms: outcome.report.outage_ms,
            takeover_ms: outcome.report.takeover_ms,
            dual_answers: outcome.report.dual_answers,
            role_changes: outcome.account.role_changes,
            backup_frames: outcome.backup_frames,
            split: outcome.report.split.clone(),
        }
    }
}

fn kernel() -> Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")
        .context("reading the release of the kernel")?;
    Ok(release.trim().to_owned())
}
