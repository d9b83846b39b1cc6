//! Two nodes that both serve because they cannot hear each other, and how that ends.

use std::time::Duration;

use serde::Serialize;

use super::milliseconds;
use crate::probe::{Owners, Probe, Track};

/// When the nodes could not hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// From when on.
    pub cut: Duration,
    /// When they were connected again.
    pub healed: Duration,
    /// How long they may take then until there is one owner.
    pub grace: Duration,
    /// The node that is to be the owner.
    pub winner: u8,
}

impl Split {
    /// Whether two owners are not to be avoided at this time.
    #[must_use]
    pub fn covers(self, time: Duration) -> bool {
        (self.cut..self.settled()).contains(&time)
    }

    fn settled(self) -> Duration {
        self.healed + self.grace
    }
}

/// What happened while the nodes could not hear each other, and right after it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitReport {
    /// Probes that both nodes answered meanwhile: what shows that there were two owners.
    pub dual_answers: u64,
    /// From the healing to the last probe that both nodes answered, milliseconds; 0 if there was none.
    pub dual_ms: f64,
    /// From the healing to the last probe that was lost or that another node than the winner answered,
    /// milliseconds; 0 if there was none.
    pub astray_ms: f64,
    /// Probes that another node than the winner answered when that was to be over.
    pub astray: u64,
}

impl SplitReport {
    pub(super) fn new(tracks: &[Track], split: Split) -> Self {
        let probes = || {
            let of = |track| move |probe| (track, probe);
            tracks
                .iter()
                .flat_map(move |track: &Track| track.probes.iter().map(of(track)))
        };
        let last = |counts: &dyn Fn(&Track, &Probe) -> bool| {
            let after = probes()
                .filter(|(track, probe)| probe.sent >= split.healed && counts(track, probe))
                .map(|(_, probe)| probe.sent - split.healed)
                .max();
            after.map_or(0.0, milliseconds)
        };
        let is_astray =
            |probe: &Probe| !probe.owners.is_empty() && probe.owners != Owners::one(split.winner);
        Self {
            dual_answers: probes()
                .filter(|(track, probe)| split.covers(probe.sent) && track.is_dual(probe))
                .count() as u64,
            dual_ms: last(&|track, probe| track.is_dual(probe)),
            astray_ms: last(&|_, probe| !probe.answered() || is_astray(probe)),
            astray: probes()
                .filter(|(_, probe)| probe.sent >= split.settled() && is_astray(probe))
                .count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::{
        probe::Kind,
        report::{Report, Window},
    };

    const MS: Duration = Duration::from_millis(1);

    /// One ARP probe a millisecond: `a`, `b`, `2` for both, `.` for nobody.
    fn report(story: &str) -> Report {
        let mut track = Track::new(Kind::Arp, IpAddr::V4(Ipv4Addr::LOCALHOST), MS);
        track.probes = (0..)
            .zip(story.chars())
            .map(|(number, letter)| {
                let mut owners = Owners::default();
                if matches!(letter, 'a' | '2') {
                    owners.insert(0);
                }
                if matches!(letter, 'b' | '2') {
                    owners.insert(1);
                }
                Probe {
                    sent: MS * number,
                    latency: (!owners.is_empty()).then_some(MS / 2),
                    owners,
                    answers: owners.len() as u8,
                }
            })
            .collect();
        let split = Split {
            cut: MS * 2,
            healed: MS * 6,
            grace: MS * 3,
            winner: 0,
        };
        Report::new(
            &[track],
            Window {
                from: Duration::ZERO,
                fault: None,
                owner: 0,
                split: Some(split),
            },
        )
    }

    #[test]
    fn what_happens_while_they_are_apart_is_counted_apart() {
        let report = report("aa22.222.aaa");
        assert_eq!((report.dual_answers, report.probes_lost), (0, 0));
        assert_eq!(report.probes_sent, 5);
        let split = report.split.unwrap();
        assert_eq!((split.dual_answers, split.astray), (5, 0));
        assert_eq!((split.dual_ms, split.astray_ms), (1.0, 2.0));
    }

    #[test]
    fn what_is_not_over_in_time_counts() {
        let report = report("aa2222222.2b");
        assert_eq!((report.dual_answers, report.probes_lost), (1, 1));
        let split = report.split.unwrap();
        assert_eq!(split.astray, 2);
        assert_eq!((split.dual_ms, split.astray_ms), (4.0, 5.0));
    }
}
