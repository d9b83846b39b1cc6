//! What the agent promises, and whether it was kept.

use super::{Account, Outcome};
use crate::report::Report;

/// The most that a scenario may cost. That no probe is answered by two nodes is part of every
/// promise.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Probes that may be lost.
    pub lost: Option<u64>,
    /// How long nobody may answer, milliseconds.
    pub outage_ms: Option<u32>,
    /// The same in the median, where several runs are made.
    pub median_outage_ms: Option<u32>,
    /// How often a node may begin or cease to have the virtual IPs.
    pub role_changes: Option<u64>,
    /// An event of this kind must be among those that the standby has noted.
    pub noted: Option<&'static str>,
    /// Whether the other node must have answered at some time.
    pub takeover: bool,
    /// Whether the other node may never have answered.
    pub stays: bool,
}

/// Many virtual IPs may take this many times as long as one.
const MANY_TO_ONE: f64 = 1.1;

impl Promise {
    /// Nothing but what is part of every promise.
    pub(super) const ONE_OWNER: Self = Self {
        lost: None,
        outage_ms: None,
        median_outage_ms: None,
        role_changes: None,
        noted: None,
        takeover: false,
        stays: false,
    };

    /// How the median of several runs broke it.
    #[must_use]
    pub fn broken_by_median(&self, outage_ms: f64) -> Option<String> {
        let limit = self.median_outage_ms?;
        (outage_ms > f64::from(limit)).then(|| {
            format!("in the median of all runs nobody answered for {outage_ms} ms; {limit} ms are allowed")
        })
    }

    /// The ways in which a run broke it, a sentence each.
    #[must_use]
    pub fn broken(&self, report: &Report, account: &Account) -> Vec<String> {
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
        if let Some(limit) = self.role_changes
            && account.role_changes > limit
        {
            broken.push(format!(
                "the nodes changed their roles {} times; {limit} times are allowed",
                account.role_changes
            ));
        }
        if let Some(kind) = self.noted
            && !account.noted.contains(kind)
        {
            broken.push(format!(
                "the standby noted no event {kind}, only {:?}",
                account.noted
            ));
        }
        if self.takeover && report.takeover_ms.is_none() {
            broken.push("the other node never answered".to_owned());
        }
        if self.stays
            && let Some(takeover) = report.takeover_ms
        {
            broken.push(format!(
                "the other node answered, {takeover} ms after the fault; it may not"
            ));
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
    let one = outage(super::power_off::BY_ADVERTS.name)?;
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
        ..Promise::ONE_OWNER
    };

    fn broken_by(promise: Promise, report: &Report) -> usize {
        promise.broken(report, &Account::default()).len()
    }

    #[test]
    fn a_kept_promise_has_nothing_to_say() {
        let at_the_limit = Report {
            probes_lost: 3,
            outage_ms: 400.0,
            ..PERFECT
        };
        assert_eq!(broken_by(STRICT, &at_the_limit), 0);
    }

    #[test]
    fn each_way_of_breaking_it_is_said() {
        let broken = |report: Report| broken_by(STRICT, &report);
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
    fn what_stays_on_its_node_is_answered_by_no_other() {
        let promise = Promise {
            stays: true,
            ..Promise::ONE_OWNER
        };
        assert_eq!(broken_by(promise, &PERFECT), 1);
        let stayed = Report {
            takeover_ms: None,
            ..PERFECT
        };
        assert_eq!(broken_by(promise, &stayed), 0);
    }

    #[test]
    fn two_owners_break_the_promise_that_promises_nothing_else() {
        let report = Report {
            dual_answers: 1,
            ..PERFECT
        };
        assert_eq!(broken_by(Promise::ONE_OWNER, &report), 1);
    }

    #[test]
    fn what_the_agents_say_counts_too() {
        let promise = Promise {
            role_changes: Some(0),
            noted: Some("adverts_lost"),
            ..Promise::ONE_OWNER
        };
        let broken = |role_changes, noted: &[&str]| {
            let noted = noted.iter().map(|kind| (*kind).to_owned()).collect();
            let account = Account {
                role_changes,
                noted,
            };
            promise.broken(&PERFECT, &account).len()
        };
        assert_eq!(broken(0, &["started", "adverts_lost"]), 0);
        assert_eq!(broken(1, &["adverts_lost"]), 1);
        assert_eq!(broken(0, &["started"]), 1);
    }

    #[test]
    fn the_median_may_be_promised_to_be_better_than_each_run() {
        let promise = Promise {
            outage_ms: Some(20),
            median_outage_ms: Some(12),
            ..Promise::ONE_OWNER
        };
        assert_eq!(promise.broken_by_median(12.0), None);
        assert!(promise.broken_by_median(12.1).is_some());
        assert_eq!(Promise::ONE_OWNER.broken_by_median(1e9), None);
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
            broken_by(Promise::ONE_OWNER, &report)
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
