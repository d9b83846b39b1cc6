//! What is expected of a phase, and what became of it.

use std::{fmt, time::Duration};

use crate::{
    cases::Judged,
    probe::{Owners, Track},
};

/// The machine's own hiccups: the prober stalls for as long.
const NOISE: Duration = Duration::from_millis(40);
/// At the end of a phase the owner alone has answered for this long.
const SETTLED: Duration = Duration::from_millis(200);

/// A part of the story, and what it may cost.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) from: Duration,
    pub(super) until: Duration,
    /// Who is Active in the end.
    pub(super) owner: u8,
    /// How long nobody may answer, by the protocol's timers.
    pub(super) outage: Duration,
    /// How long both may answer: until an advertisement is heard. `None` while they cannot hear each other.
    pub(super) both: Option<Duration>,
}

/// What became of a phase.
#[derive(Clone, Debug)]
pub struct Outcome {
    name: &'static str,
    lost: usize,
    outage: Duration,
    both: Duration,
}

/// What became of a case.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The phases in their order.
    pub phases: Vec<Outcome>,
    /// VRRP packets of ours that `tshark` has read.
    pub read: usize,
    /// What is not as it should be, a sentence each.
    pub faults: Vec<String>,
}

impl Verdict {
    pub(super) fn judge(&mut self, phase: &Phase, tracks: &[Track]) {
        let window = phase.from..phase.until;
        let (mut lost, mut outage, mut both) = (0, Duration::ZERO, Duration::ZERO);
        for track in tracks {
            let probes: Vec<_> = track
                .probes
                .iter()
                .filter(|p| window.contains(&p.sent))
                .collect();
            lost += probes.iter().filter(|probe| !probe.answered()).count();
            let runs = probes.split(|probe| probe.answered()).map(<[_]>::len);
            let longest = u32::try_from(runs.max().unwrap_or(0)).unwrap_or(u32::MAX);
            outage = outage.max(track.spacing * longest);
            let mut dual = probes
                .iter()
                .filter(|probe| track.is_dual(probe))
                .map(|p| p.sent);
            if let Some(first) = dual.next() {
                both = both.max(dual.next_back().unwrap_or(first) - first + track.spacing);
            }
            let is_settled = |sent: Duration| sent >= phase.until.saturating_sub(SETTLED);
            let strays = probes
                .iter()
                .filter(|p| is_settled(p.sent) && !p.owners.is_empty())
                .filter(|p| p.owners != Owners::one(phase.owner))
                .count();
            if strays > 0 {
                self.faults.push(format!(
                    "{}: {strays} {} probes at its end were not answered by the owner alone",
                    phase.name,
                    track.kind.name()
                ));
            }
        }
        if outage > phase.outage + NOISE {
            self.faults.push(format!(
                "{}: nobody answered for {outage:?}; {:?} are the protocol's",
                phase.name, phase.outage
            ));
        }
        if let Some(limit) = phase.both
            && both > limit + NOISE
        {
            self.faults.push(format!(
                "{}: both answered for {both:?}; {limit:?} are the protocol's",
                phase.name
            ));
        }
        self.phases.push(Outcome {
            name: phase.name,
            lost,
            outage,
            both,
        });
    }
}

impl Judged for Verdict {
    fn is_at_fault(&self) -> bool {
        !self.faults.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Outcome {
            name,
            lost,
            outage,
            both,
        } in &self.phases
        {
            writeln!(
                f,
                "    {name:<28} lost {lost:>5}   nobody {:>5} ms   both {:>4} ms",
                outage.as_millis(),
                both.as_millis()
            )?;
        }
        write!(f, "    tshark read {} packets of ours", self.read)?;
        for fault in &self.faults {
            write!(f, "\n    FAULT {fault}")?;
        }
        Ok(())
    }
}
