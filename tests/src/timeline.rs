//! A measurement as a picture would show it: what share of the probes was answered by whom, over
//! time.

use std::time::Duration;

use serde::Serialize;

use crate::{
    probe::{Owners, Track},
    report::Window,
};

/// Time that one column of the picture stands for.
pub const COLUMN: Duration = Duration::from_millis(20);

/// Probes sent within one column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Answered by one node alone, by its index.
    pub by_node: Vec<u32>,
    /// Answered by more than one node.
    pub by_several: u32,
    /// Answered, but it is not known by whom.
    pub by_unknown: u32,
    /// Not answered.
    pub lost: u32,
}

impl Column {
    /// All probes of the column.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.by_node.iter().sum::<u32>() + self.by_several + self.by_unknown + self.lost
    }
}

/// Something that was done to the lab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, since the start of the picture.
    pub at: Duration,
    /// What, in a few words.
    pub label: &'static str,
}

/// The picture of a measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// One after the other, [`COLUMN`] apart.
    pub columns: Vec<Column>,
    /// What was done when.
    pub marks: Vec<Mark>,
}

impl Timeline {
    /// Sorts the probes of the window into columns.
    #[must_use]
    pub fn new(tracks: &[Track], window: Window, marks: Vec<Mark>, nodes: usize) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for track in tracks {
            for probe in &track.probes {
                let Some(since) = probe.sent.checked_sub(window.from) else {
                    continue;
                };
                let index = (since.as_nanos() / COLUMN.as_nanos()) as usize;
                if columns.len() <= index {
                    let empty = Column {
                        by_node: vec![0; nodes],
                        ..Column::default()
                    };
                    columns.resize(index + 1, empty);
                }
                let column = &mut columns[index];
                if track.is_dual(probe) {
                    column.by_several += 1;
                } else if !probe.answered() {
                    column.lost += 1;
                } else if let Some(node) = (0..)
                    .zip(&mut column.by_node)
                    .find_map(|(node, count)| (probe.owners == Owners::one(node)).then_some(count))
                {
                    *node += 1;
                } else {
                    column.by_unknown += 1;
                }
            }
        }
        let marks = marks
            .into_iter()
            .map(|Mark { at, label }| Mark {
                at: at.saturating_sub(window.from),
                label,
            })
            .collect();
        Self { columns, marks }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::probe::{Kind, Probe};

    fn probe(at: u64, owners: &[u8], answered: bool) -> Probe {
        let mut set = Owners::default();
        owners.iter().for_each(|owner| set.insert(*owner));
        Probe {
            sent: Duration::from_millis(at),
            latency: answered.then_some(Duration::ZERO),
            owners: set,
            answers: u8::from(answered),
        }
    }

    #[test]
    fn each_probe_is_in_one_column_and_counted_once() {
        let mut track = Track::new(
            Kind::Udp,
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            Duration::from_millis(1),
        );
        track.probes = vec![
            probe(5, &[0], true),
            probe(10, &[0], true),
            probe(29, &[], false),
            probe(31, &[0, 1], true),
            probe(50, &[1], true),
            probe(51, &[], true),
        ];
        let window = Window {
            from: Duration::from_millis(10),
            fault: None,
            owner: 0,
            split: None,
        };
        let mark = Mark {
            at: Duration::from_millis(30),
            label: "fault",
        };
        let timeline = Timeline::new(&[track], window, vec![mark], 2);
        let column = |by_node: [u32; 2], by_several, by_unknown, lost| Column {
            by_node: by_node.to_vec(),
            by_several,
            by_unknown,
            lost,
        };
        assert_eq!(
            timeline.columns,
            [
                column([1, 0], 0, 0, 1),
                column([0, 0], 1, 0, 0),
                column([0, 1], 0, 1, 0),
            ]
        );
        assert_eq!(timeline.marks[0].at, Duration::from_millis(20));
    }
}
