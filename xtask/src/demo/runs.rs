//! The runs of one scenario.

use anyhow::Result;
use ha_lab::{
    bench::Samples,
    scenario::{Outcome, Scenario},
};

/// What came of playing a scenario once or several times.
#[derive(Debug)]
pub(super) struct Runs {
    pub(super) scenario: &'static Scenario,
    outcomes: Vec<Outcome>,
    errors: Vec<String>,
}

impl Runs {
    pub(super) fn new(scenario: &'static Scenario) -> Self {
        Self {
            scenario,
            outcomes: Vec::new(),
            errors: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, outcome: Result<Outcome>) {
        match outcome {
            Ok(outcome) => self.outcomes.push(outcome),
            Err(error) => self.errors.push(format!("{error:#}")),
        }
    }

    /// All runs that could be played.
    pub(super) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The run that the table, the picture and the report show: the one with the most double answers, or
    /// else the longest outage, or else the most losses.
    pub(super) fn worst(&self) -> Option<&Outcome> {
        self.outcomes.iter().max_by(|one, other| {
            let (one, other) = (&one.report, &other.report);
            one.dual_answers
                .cmp(&other.dual_answers)
                .then(one.outage_ms.total_cmp(&other.outage_ms))
                .then(one.probes_lost.cmp(&other.probes_lost))
        })
    }

    /// The run with the median outage, for comparing scenarios with each other.
    pub(super) fn typical(&self) -> Option<&Outcome> {
        let mut outcomes: Vec<_> = self.outcomes.iter().collect();
        outcomes.sort_by(|one, other| one.report.outage_ms.total_cmp(&other.report.outage_ms));
        outcomes.get(outcomes.len() / 2).copied()
    }

    /// The median of the outages, milliseconds, if there was more than one run.
    pub(super) fn median_outage_ms(&self) -> Option<f64> {
        let outages = self.outcomes.iter().map(|outcome| outcome.report.outage_ms);
        (self.outcomes.len() > 1).then(|| Samples::new(outages.collect()).median())
    }

    fn broken_by_median(&self) -> Option<String> {
        self.scenario
            .promise
            .broken_by_median(self.median_outage_ms()?)
    }

    /// What went wrong, a sentence each that begins with the scenario's name.
    pub(super) fn faults(&self) -> Vec<String> {
        let broken = self.outcomes.iter().flat_map(|outcome| {
            let evidence = outcome.evidence.as_ref().map_or_else(String::new, |dir| {
                format!(" (logs and captures: {})", dir.display())
            });
            let sentences = outcome.broken.iter();
            sentences.map(move |sentence| format!("{sentence}{evidence}"))
        });
        self.errors
            .iter()
            .cloned()
            .chain(broken)
            .chain(self.broken_by_median())
            .map(|fault| format!("{}: {fault}", self.scenario.name))
            .collect()
    }

    /// Whether every run went as promised.
    pub(super) fn kept(&self) -> bool {
        self.errors.is_empty()
            && self.broken_by_median().is_none()
            && self
                .outcomes
                .iter()
                .all(|outcome| outcome.broken.is_empty())
    }
}
