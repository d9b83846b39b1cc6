//! From what became of each probe to the few numbers that say how a failover went.

mod split;

use std::{net::IpAddr, time::Duration};

use serde::Serialize;

pub use self::split::{Split, SplitReport};
use crate::probe::{Kind, Probe, Track};

/// What of a measurement counts.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Probes sent before are left out: the client was still resolving addresses.
    pub from: Duration,
    /// When the fault was injected, if any was.
    pub fault: Option<Duration>,
    /// The node that had the virtual IPs until then.
    pub owner: u8,
    /// When the nodes could not hear each other. Probes sent then are counted apart.
    pub split: Option<Split>,
}

/// The result of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Probes sent.
    pub probes_sent: u64,
    /// Probes that nobody answered within a second.
    pub probes_lost: u64,
    /// Longest run of consecutive unanswered probes of one kind to one virtual IP, times their
    /// spacing, milliseconds.
    ///
    /// Not the longest gap between answers: on a busy machine the prober itself stalls for tens of
    /// milliseconds, in which nothing is lost.
    pub outage_ms: f64,
    /// From the fault to the first answer of another node than the one that had the virtual IPs,
    /// milliseconds. `None` if no other node answered.
    pub takeover_ms: Option<f64>,
    /// Probes that more than one node answered.
    pub dual_answers: u64,
    /// The same for each kind of probe and each virtual IP probed.
    pub by_probe: Vec<TrackReport>,
    /// What happened while the nodes could not hear each other, and right after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitReport>,
}

/// The result for the probes of one kind to one virtual IP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrackReport {
    /// How they ask.
    pub kind: Kind,
    /// The virtual IP.
    pub vip: IpAddr,
    /// As in [`Report`].
    pub probes_sent: u64,
    /// As in [`Report`].
    pub probes_lost: u64,
    /// As in [`Report`].
    pub outage_ms: f64,
    /// As in [`Report`].
    pub takeover_ms: Option<f64>,
    /// As in [`Report`].
    pub dual_answers: u64,
    /// Median time to an answer, microseconds; `None` if there was no answer.
    pub median_latency_us: Option<f64>,
}

impl Report {
    /// Counts what the window covers.
    #[must_use]
    pub fn new(tracks: &[Track], window: Window) -> Self {
        let by_probe: Vec<_> = tracks
            .iter()
            .map(|track| TrackReport::new(track, window))
            .collect();
        Self {
            probes_sent: by_probe.iter().map(|track| track.probes_sent).sum(),
            probes_lost: by_probe.iter().map(|track| track.probes_lost).sum(),
            outage_ms: by_probe
                .iter()
                .map(|track| track.outage_ms)
                .fold(0.0, f64::max),
            takeover_ms: by_probe
                .iter()
                .filter_map(|track| track.takeover_ms)
                .reduce(f64::min),
            dual_answers: by_probe.iter().map(|track| track.dual_answers).sum(),
            by_probe,
            split: window.split.map(|split| SplitReport::new(tracks, split)),
        }
    }
}

impl TrackReport {
    fn new(track: &Track, window: Window) -> Self {
        let first = track.probes.partition_point(|p| p.sent < window.from);
        let probes: Vec<Probe> = track.probes[first..]
            .iter()
            .filter(|probe| window.split.is_none_or(|split| !split.covers(probe.sent)))
            .copied()
            .collect();
        let probes = probes.as_slice();
        let count = |counts: &dyn Fn(&Probe) -> bool| {
            probes.iter().filter(|probe| counts(probe)).count() as u64
        };
        Self {
            kind: track.kind,
            vip: track.target,
            probes_sent: probes.len() as u64,
            probes_lost: count(&|probe| !probe.answered()),
            outage_ms: milliseconds(track.spacing * longest_silence(probes)),
            takeover_ms: takeover(probes, window).map(milliseconds),
            dual_answers: count(&|probe| track.is_dual(probe)),
            median_latency_us: median_latency(probes).map(|latency| milliseconds(latency * 1000)),
        }
    }
}

/// Probes in the longest run without an answer.
fn longest_silence(probes: &[Probe]) -> u32 {
    let runs = probes.split(Probe::answered).map(<[Probe]>::len);
    u32::try_from(runs.max().unwrap_or(0)).unwrap_or(u32::MAX)
}

fn takeover(probes: &[Probe], window: Window) -> Option<Duration> {
    let fault = window.fault?;
    probes
        .iter()
        .filter(|probe| probe.answered() && probe.owners.any_but(window.owner))
        .filter_map(|probe| (probe.sent + probe.latency?).checked_sub(fault))
        .min()
}

fn median_latency(probes: &[Probe]) -> Option<Duration> {
    let mut latencies: Vec<_> = probes.iter().filter_map(|probe| probe.latency).collect();
    let middle = latencies.len() / 2;
    (!latencies.is_empty()).then(|| *latencies.select_nth_unstable(middle).1)
}

/// Milliseconds with one digit after the point: more than that is noise.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::probe::Owners;

    const MS: Duration = Duration::from_millis(1);
    const A: u8 = 0;
    const B: u8 = 1;
    const VIP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// One probe per letter, a millisecond apart, each answered after half of one: `a` by node A,
    /// `b` by node B, `2` by both, `.` by nobody.
    fn track(kind: Kind, story: &str) -> Track {
        let mut track = Track::new(kind, VIP, MS);
        for (number, letter) in (0..).zip(story.chars()) {
            let mut owners = Owners::default();
            if matches!(letter, 'a' | '2') {
                owners.insert(A);
            }
            if matches!(letter, 'b' | '2') {
                owners.insert(B);
            }
            track.probes.push(Probe {
                sent: MS * number,
                latency: (!owners.is_empty()).then_some(MS / 2),
                owners,
                answers: owners.len() as u8,
            });
        }
        track
    }

    fn report(stories: &[(Kind, &str)], fault: Option<u32>) -> Report {
        let tracks: Vec<_> = stories
            .iter()
            .map(|(kind, story)| track(*kind, story))
            .collect();
        let window = Window {
            from: Duration::ZERO,
            fault: fault.map(|fault| MS * fault),
            owner: A,
            split: None,
        };
        Report::new(&tracks, window)
    }

    #[test]
    fn nothing_happens() {
        let report = report(&[(Kind::Udp, "aaaa"), (Kind::Arp, "aaaa")], None);
        assert_eq!((report.probes_sent, report.probes_lost), (8, 0));
        assert_eq!((report.outage_ms, report.takeover_ms), (0.0, None));
        assert_eq!(report.dual_answers, 0);
    }

    #[test]
    fn the_outage_is_the_longest_silence_of_any_kind() {
        let report = report(&[(Kind::Udp, "aa..abbb"), (Kind::Arp, "aa.....b")], Some(2));
        assert_eq!(report.probes_lost, 7);
        assert_eq!(report.outage_ms, 5.0);
        assert_eq!(report.by_probe[0].outage_ms, 2.0);
    }

    #[test]
    fn a_silence_that_never_ends_counts_too() {
        assert_eq!(report(&[(Kind::Tcp, "a....")], Some(1)).outage_ms, 4.0);
    }

    #[test]
    fn takeover_is_the_first_answer_of_another_node_after_the_fault() {
        let report = report(
            &[(Kind::Udp, "aa...bbb"), (Kind::Icmp, "aa....bb")],
            Some(2),
        );
        assert_eq!(report.takeover_ms, Some(3.5));
        assert_eq!(report.by_probe[1].takeover_ms, Some(4.5));
    }

    #[test]
    fn answers_of_both_are_counted_whatever_the_kind() {
        let report = report(&[(Kind::Udp, "aa2bb"), (Kind::Ns, "a22bb")], Some(2));
        assert_eq!(report.dual_answers, 3);
        assert_eq!(report.probes_lost, 0);
    }

    #[test]
    fn what_was_sent_before_the_window_is_left_out() {
        let window = Window {
            from: MS * 3,
            fault: None,
            owner: A,
            split: None,
        };
        let report = Report::new(&[track(Kind::Udp, "...aaa")], window);
        assert_eq!((report.probes_sent, report.probes_lost), (3, 0));
    }
}
