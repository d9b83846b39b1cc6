//! What was measured, for eyes and for programs.

use std::fmt;

use serde::Serialize;

use super::{Measured, Samples};

/// The costs of all ways.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Frames sent each way that were measured.
    pub frames: u32,
    /// Nanoseconds for each frame that is sent and dropped on arrival: what has been taken off.
    pub floor_nanoseconds: f64,
    /// One row for each way.
    pub costs: Vec<Cost>,
}

/// What a way costs.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Where the frames go.
    pub way: &'static str,
    /// What the kernel does by itself.
    pub beside: &'static str,
    /// With the data path.
    pub ours: Side,
    /// Without it.
    pub kernel: Side,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Frames that arrived in a second, median.
    pub per_second: f64,
    /// How far apart the middle half of the samples is, relative to the median.
    pub spread: f64,
    /// Nanoseconds for each frame beyond the floor, median.
    pub nanoseconds: f64,
    /// Share of the frames that arrived.
    pub arrived: f64,
}

impl Side {
    pub(super) fn of(measured: Measured, floor: &Samples) -> Self {
        let rates = Samples::new(measured.rates);
        let times = Samples::new(measured.times);
        Self {
            per_second: rates.median(),
            spread: rates.spread(),
            nanoseconds: times.median() - floor.median(),
            arrived: measured.arrived as f64 / measured.sent as f64,
        }
    }
}

impl Report {
    pub(super) fn new(floor: &Samples, frames: u32, costs: Vec<Cost>) -> Self {
        Self {
            frames,
            floor_nanoseconds: floor.median(),
            costs,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Frames of 60 octets, {} each way; to send and receive one takes {:.0} ns, which is taken off the costs\n",
            self.frames, self.floor_nanoseconds
        )?;
        writeln!(
            f,
            "{:<16}{:<20}{:>12}{:>9}{:>12}{:>10}",
            "to", "by", "frames/s", "spread", "ns a frame", "arrived"
        )?;
        for cost in &self.costs {
            for (by, side) in [("ha-agent", &cost.ours), (cost.beside, &cost.kernel)] {
                writeln!(
                    f,
                    "{:<16}{:<20}{:>12.0}{:>8.1}%{:>12.0}{:>9.1}%",
                    cost.way,
                    by,
                    side.per_second,
                    side.spread * 100.0,
                    side.nanoseconds,
                    side.arrived * 100.0
                )?;
            }
        }
        Ok(())
    }
}
