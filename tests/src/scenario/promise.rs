//! What the agent promises, and whether it was kept.

use super::Outcome;
use crate::report::Report;

/// The most that a scenario may cost. That no probe is answered by two nodes is part of every
/// promise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promise {
    /// Probes that may be lost.
    pub lost: Option<u64>,
    /// How long nobody may answer, milliseconds.
    pub outage_ms: Option<u32>,
    /// Whether the other node must have answered at some time.
    pub takeover: bool,
}

/// Many virtual IPs may take this many times as long as one.
const MANY_TO_ONE: f64 = 1.1;

impl Promise {
    /// The ways in which it was broken, a sentence each.
    #[must_use]
    pub fn broken(&self, report: &Report) -> Vec<String> {
        let mut broken = Vec::new();
        if report.dual_answers > 0 {
            broken.push(format!(
                "{} probes were answered by more than one node; no probe may be",
                report.dual_answers
            ));
        }
        if let Some(limit) = self.lost
            && report.probes_lost > limit
        {
            broken.push(format!(
                "{} probes were lost; {limit} may be",
                report.probes_lost
            ));
        }
        if let Some(limit) = self.outage_ms
            && report.outage_ms > f64::from(limit)
        {
            broken.push(format!(
                "nobody answered for {} ms; {limit} ms are allowed",
                report.outage_ms
            ));
        }
        if let Some(split) = &report.split {
            if split.dual_answers == 0 {
                broken.push("the nodes never were both Active, so nothing was shown".to_owned());
            }
            if split.astray > 0 {
                broken.push(format!(
                    "{} probes were answered by the loser after the split; none may be",
                    split.astray
                ));
            }
        }
        if self.takeover && report.takeover_ms.is_none() {
            broken.push("the other node never answered".to_owned());
        }
        broken
    }
}

/// Compares a power loss with one and with many virtual IPs, if both were played: the sentence that
/// says by how much the second was worse than promised.
#[must_use]
pub fn many_vips_are_as_quick(outcomes: &[Outcome]) -> Option<String> {
    let outage = |name| {
        let outcome = outcomes.iter().find(|outcome| outcome.name == name)?;
        Some(outcome.report.outage_ms)
    };
    let one = outage(super::power_off::SCENARIO.name)?;
    let many = outage(super::many_vips::SCENARIO.name)?;
    (many > one * MANY_TO_ONE).then(|| {
        format!(
            "with many virtual IPs nobody answered for {many} ms, with few for {one} ms; \
             {MANY_TO_ONE} times that is allowed"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::SplitReport;

    const PERFECT: Report = Report {
        probes_sent: 1000,
        probes_lost: 0,
        outage_ms: 0.0,
        takeover_ms: Some(10.0),
        dual_answers: 0,
        by_probe: Vec::new(),
        split: None,
    };
    const STRICT: Promise = Promise {
        lost: Some(3),
        outage_ms: Some(400),
        takeover: true,
    };

    #[test]
    fn a_kept_promise_has_nothing_to_say() {
        let at_the_limit = Report {
            probes_lost: 3,
            outage_ms: 400.0,
            ..PERFECT
        };
        assert!(STRICT.broken(&at_the_limit).is_empty());
    }

    #[test]
    fn each_way_of_breaking_it_is_said() {
        let broken = |report: Report| STRICT.broken(&report).len();
        let base = PERFECT;
        assert_eq!(
            broken(Report {
                probes_lost: 4,
                ..base.clone()
            }),
            1
        );
        assert_eq!(
            broken(Report {
                outage_ms: 400.1,
                ..base.clone()
            }),
            1
        );
        assert_eq!(
            broken(Report {
                takeover_ms: None,
                ..base.clone()
            }),
            1
        );
        assert_eq!(
            broken(Report {
                dual_answers: 1,
                ..base
            }),
            1
        );
    }

    #[test]
    fn two_owners_break_the_promise_that_promises_nothing_else() {
        let report = Report {
            dual_answers: 1,
            ..PERFECT
        };
        assert_eq!(Promise::default().broken(&report).len(), 1);
    }

    #[test]
    fn after_a_split_only_the_winner_answers() {
        let split = SplitReport {
            dual_answers: 9,
            dual_ms: 50.0,
            astray_ms: 60.0,
            astray: 0,
        };
        let broken = |split: SplitReport| {
            let report = Report {
                split: Some(split),
                ..PERFECT
            };
            Promise::default().broken(&report).len()
        };
        assert_eq!(broken(split.clone()), 0);
        assert_eq!(
            broken(SplitReport {
                astray: 1,
                ..split.clone()
            }),
            1
        );
        assert_eq!(
            broken(SplitReport {
                dual_answers: 0,
                ..split
            }),
            1,
            "what was not tried was not shown"
        );
    }
}
