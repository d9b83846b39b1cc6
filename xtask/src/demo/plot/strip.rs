//! One scenario: who answered, from the bottom up, and what was done when.

use anyhow::Result;
use ha_lab::{
    scenario::{Outcome, Scenario},
    timeline::{COLUMN, Column},
};

use super::{
    Axis,
    canvas::{Anchor, Canvas},
    start,
};
use crate::demo::palette;

const TITLE: i32 = 0;
const MARKS: i32 = 24;
const TOP: i32 = 42;
const BOTTOM: i32 = 98;
const TICKS: i32 = 105;

pub(super) struct Strip<'a> {
    title: String,
    what: &'a str,
    outcome: &'a Outcome,
}

impl<'a> Strip<'a> {
    /// Of the whole strip, with its title and its ticks.
    pub(super) const HEIGHT: i32 = 136;

    pub(super) fn new(system: &str, scenario: &'a Scenario, outcome: &'a Outcome) -> Self {
        Self {
            title: format!("{system}{}", scenario.name),
            what: scenario.what,
            outcome,
        }
    }

    /// When the strip ends, in seconds from the failure.
    pub(super) fn end(&self) -> f64 {
        let columns = self.outcome.timeline.columns.len();
        start(self.outcome) + columns as f64 * COLUMN.as_secs_f64()
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>, axis: Axis, top: i32) -> Result<()> {
        let (left, right) = (axis.x(f64::NEG_INFINITY), axis.x(f64::INFINITY));
        canvas.title(&self.title, (left, top + TITLE), 17, palette::INK)?;
        // About the width of a bold letter of this size.
        let after_title = left + 9 * i32::try_from(self.title.len())? + 14;
        canvas.text(
            self.what,
            (after_title, top + TITLE + 1),
            15,
            palette::SOFT_INK,
            Anchor::Left,
        )?;
        canvas.text(
            &self.figures(),
            (right, top + TITLE + 1),
            15,
            palette::INK,
            Anchor::Right,
        )?;
        canvas.rectangle((left, top + TOP), (right, top + BOTTOM), palette::EMPTY)?;
        self.draw_columns(canvas, axis, top)?;
        self.draw_marks(canvas, axis, top)?;
        draw_ticks(canvas, axis, top)
    }

    fn figures(&self) -> String {
        let report = &self.outcome.report;
        let silence = if report.probes_lost == 0 {
            "nothing lost".to_owned()
        } else {
            format!(
                "{} of {} probes lost, silent for {:.0} ms",
                report.probes_lost, report.probes_sent, report.outage_ms
            )
        };
        match report.dual_answers {
            0 => silence,
            dual => format!("{silence}, {dual} answered by both"),
        }
    }

    fn draw_columns(&self, canvas: &Canvas<'_>, axis: Axis, top: i32) -> Result<()> {
        let columns = &self.outcome.timeline.columns;
        let time = |column: usize| start(self.outcome) + column as f64 * COLUMN.as_secs_f64();
        let mut from = 0;
        // Columns of the same proportions are one rectangle, which keeps the file small.
        for run in columns.chunk_by(|one, next| shares(one) == shares(next)) {
            let to = from + run.len();
            let mut foot = top + BOTTOM;
            for (color, above) in shares(&run[0]) {
                let head = top + BOTTOM - (above * f64::from(BOTTOM - TOP)).round() as i32;
                if head < foot {
                    let corners = ((axis.x(time(from)), head), (axis.x(time(to)), foot));
                    canvas.rectangle(corners.0, corners.1, color)?;
                }
                foot = head;
            }
            from = to;
        }
        Ok(())
    }

    fn draw_marks(&self, canvas: &Canvas<'_>, axis: Axis, top: i32) -> Result<()> {
        for mark in &self.outcome.timeline.marks {
            let x = axis.x(start(self.outcome) + mark.at.as_secs_f64());
            canvas.line((x, top + MARKS), (x, top + BOTTOM), palette::INK)?;
            canvas.text(
                mark.label,
                (x + 5, top + MARKS),
                13,
                palette::INK,
                Anchor::Left,
            )?;
        }
        Ok(())
    }
}

fn draw_ticks(canvas: &Canvas<'_>, axis: Axis, top: i32) -> Result<()> {
    for second in -1..=axis.seconds.floor() as i32 {
        let x = axis.x(f64::from(second));
        canvas.line((x, top + BOTTOM), (x, top + BOTTOM + 4), palette::SOFT_INK)?;
        canvas.text(
            &second.to_string(),
            (x, top + TICKS),
            12,
            palette::SOFT_INK,
            Anchor::Middle,
        )?;
    }
    Ok(())
}

/// What share of a column's probes each colour and those below it have, from the bottom up.
fn shares(column: &Column) -> Vec<(plotters::style::RGBColor, f64)> {
    let nodes = column.by_node.iter().enumerate();
    let total = f64::from(column.total().max(1));
    let mut sum = 0;
    nodes
        .map(|(index, count)| (palette::node(index), *count))
        .chain([
            (palette::UNKNOWN, column.by_unknown),
            (palette::SEVERAL, column.by_several),
            (palette::LOST, column.lost),
        ])
        .map(|(color, count)| {
            sum += count;
            (color, f64::from(sum) / total)
        })
        .collect()
}
