//! The picture: for each scenario a strip that shows over time who answered the probes.

mod canvas;
mod strip;

use std::{fs, path::Path, time::Duration};

use anyhow::Result;
use ha_lab::{scenario::Outcome, timeline::COLUMN};

use self::{
    canvas::{Anchor, Canvas},
    strip::Strip,
};
use super::{palette, runs::Runs};

const WIDTH: i32 = 1200;
const MARGIN: i32 = 40;
const HEAD: i32 = 112;
const FOOT: i32 = 16;
/// Time before the failure that is worth showing.
const BEFORE: f64 = 1.5;

/// Draws the worst run of each scenario.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn draw(file: &Path, ours: &[Runs], theirs: &[Runs]) -> Result<()> {
    let strips: Vec<Strip<'_>> = [("", ours), ("keepalived: ", theirs)]
        .into_iter()
        .flat_map(|(system, runs)| runs.iter().map(move |runs| (system, runs)))
        .filter_map(|(system, runs)| Some(Strip::new(system, runs.scenario, runs.worst()?)))
        .collect();
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    let seconds = strips.iter().map(Strip::end).fold(1.0, f64::max);
    let axis = Axis { seconds };

    let height = HEAD + Strip::HEIGHT * i32::try_from(strips.len())? + FOOT;
    let canvas = Canvas::new(file, WIDTH, height)?;
    head(&canvas)?;
    let mut top = HEAD;
    for strip in &strips {
        strip.draw(&canvas, axis, top)?;
        top += Strip::HEIGHT;
    }
    canvas.finish()
}

/// The time axis that all strips share; 0 is the failure.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// Its end.
    seconds: f64,
}

impl Axis {
    fn x(self, seconds: f64) -> i32 {
        let share = (seconds.clamp(-BEFORE, self.seconds) + BEFORE) / (self.seconds + BEFORE);
        MARGIN + (share * f64::from(WIDTH - 2 * MARGIN)).round() as i32
    }
}

/// When the picture of an outcome starts, relative to its failure.
fn start(outcome: &Outcome) -> f64 {
    let failure = outcome.timeline.marks.first().map(|mark| mark.at);
    -failure
        .unwrap_or(Duration::from_secs_f64(BEFORE))
        .as_secs_f64()
}

fn head(canvas: &Canvas<'_>) -> Result<()> {
    canvas.text("Who answers?", (MARGIN, 22), 26, palette::INK, Anchor::Left)?;
    canvas.text(
        &format!(
            "Share of the client's and the observer's probes that each node answered, per {} ms. \
             Time in seconds; 0 is the failure.",
            COLUMN.as_millis()
        ),
        (MARGIN, 56),
        15,
        palette::SOFT_INK,
        Anchor::Left,
    )?;
    let mut x = MARGIN;
    for (label, color) in [
        ("node a", palette::node(0)),
        ("node b", palette::node(1)),
        ("nobody", palette::LOST),
        ("both at once", palette::SEVERAL),
    ] {
        canvas.rectangle((x, 82), (x + 14, 96), color)?;
        canvas.text(label, (x + 20, 81), 15, palette::INK, Anchor::Left)?;
        x += 120;
    }
    Ok(())
}
