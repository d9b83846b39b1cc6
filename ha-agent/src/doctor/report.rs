//! All that was found, for people and for tools.

use std::fmt;

use serde::Serialize;

use super::{Finding, Level};

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The worst of it.
    pub level: Level,
    /// In the order of the checks.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let worst = findings.iter().map(|finding| finding.level).max();
        Self {
            level: worst.unwrap_or(Level::Ok),
            findings,
        }
    }

    /// Exit status for scripts: 0 if all is well, 1 if there are warnings only, 2 if there are failures.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self.level {
            Level::Ok => 0,
            Level::Warning => 1,
            Level::Failure => 2,
        }
    }

    fn count(&self, level: Level) -> usize {
        let of_level = |finding: &&Finding| finding.level == level;
        self.findings.iter().filter(of_level).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let [ok, warnings, failures] =
            [Level::Ok, Level::Warning, Level::Failure].map(|level| self.count(level));
        write!(f, "\n{ok} ok, warnings: {warnings}, failures: {failures}")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    #[test]
    fn the_worst_finding_decides() {
        let ok = Verdict::ok("1500 octets").of("mtu", "eth0");
        let warning = Verdict::warning("it is 0", "Somebody answers.", "sysctl -w x=1").of("x", "");
        let failure = Verdict::failure("not there", "Nothing runs.", "ip link").of("y", "eth1");
        let status = |findings: &[&Finding]| {
            Report::new(findings.iter().map(|finding| (*finding).clone()).collect()).exit_status()
        };
        assert_eq!(status(&[]), 0);
        assert_eq!(status(&[&ok]), 0);
        assert_eq!(status(&[&warning, &ok]), 1);
        assert_eq!(status(&[&failure, &warning, &ok]), 2);

        let report = Report::new(vec![ok, warning, failure]);
        assert_eq!(
            report.to_string(),
            "ok       mtu eth0: 1500 octets\n\
             warning  x: it is 0\n         Somebody answers.\n         mend: sysctl -w x=1\n\
             failure  y eth1: not there\n         Nothing runs.\n         mend: ip link\n\n\
             1 ok, warnings: 1, failures: 1"
        );
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["level"], "failure");
        assert_eq!(json["findings"][1]["mend"], "sysctl -w x=1");
    }
}
