//! The results for people.

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED,
};
use ha_lab::scenario::{Outcome, Promise};

use super::runs::Runs;

const HEADER: [&str; 8] = [
    "scenario",
    "what happens",
    "addresses",
    "probes",
    "lost",
    "nobody\nanswers for",
    "other node\nanswers after",
    "answered\nby both",
];

const LEGEND: &str = "\
Two nodes share addresses, and node a has them. A client asks for them a thousand times a second in
each of several ways: UDP, TCP connect, ping, \"who has this address\" (ARP and its IPv6 counterpart).
  lost                 nobody answered within a second, of all ways together
  nobody answers for   the longest time without any answer, in the way that fared worst
  other node answers   from the moment of the failure to the first answer of node b
  answered by both     both nodes claimed the address: the fault that corrupts data; 0 is the promise
Where the nodes are kept apart, two owners cannot be avoided until one advertisement after they meet
again; the row counts what comes after that.
The first row is the noise of this machine: what is lost when nothing happens.";

/// Prints the table, with keepalived's results below if there are any.
pub(super) fn print(ours: &[Runs], theirs: &[Runs]) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let mut header: Vec<_> = HEADER.map(bold).into();
    header.push(bold("promised"));
    table.set_header(header);
    for runs in ours {
        let mut row = row(String::new(), runs);
        row.push(promise(runs));
        table.add_row(row);
    }
    for runs in theirs {
        let mut row = row("keepalived: ".to_owned(), runs);
        row.push(Cell::new("-"));
        table.add_row(row);
    }
    for column in 2..HEADER.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("\n{table}\n\n{LEGEND}");
    if ours.iter().any(|runs| runs.outcomes().len() > 1) {
        println!("Each row is the worst of its runs.");
    }
}

fn row(system: String, runs: &Runs) -> Vec<Cell> {
    let mut row = vec![
        Cell::new(system + runs.scenario.name),
        Cell::new(runs.scenario.what),
    ];
    let Some(Outcome { vips, report, .. }) = runs.worst() else {
        row.resize_with(HEADER.len(), || Cell::new("-"));
        return row;
    };
    let takeover = report
        .takeover_ms
        .map_or_else(|| "-".to_owned(), |time| format!("{time:.0} ms"));
    row.extend([
        Cell::new(vips),
        Cell::new(report.probes_sent),
        Cell::new(report.probes_lost),
        Cell::new(format!("{:.0} ms", report.outage_ms)),
        Cell::new(takeover),
        Cell::new(report.dual_answers),
    ]);
    row
}

fn promise(runs: &Runs) -> Cell {
    let promised = promised(runs.scenario.promise, runs.median_outage_ms());
    if runs.worst().is_none() {
        Cell::new("could not be tried").fg(Color::Red)
    } else if runs.kept() {
        Cell::new(format!("{promised}: kept")).fg(Color::Green)
    } else {
        Cell::new(format!("{promised}: BROKEN")).fg(Color::Red)
    }
}

fn promised(promise: Promise, median_ms: Option<f64>) -> String {
    let Promise {
        lost,
        outage_ms,
        median_outage_ms,
        role_changes,
        stays,
        ..
    } = promise;
    let mut promised = match (lost, outage_ms) {
        (Some(0), _) => "no loss".to_owned(),
        (Some(lost), _) => format!("at most {lost} lost"),
        (None, Some(limit)) => format!("at most {limit} ms"),
        (None, None) => "one owner".to_owned(),
    };
    if stays {
        promised += ", no change of node";
    } else if role_changes == Some(0) {
        promised += ", no change of role";
    }
    if let (Some(limit), Some(median)) = (median_outage_ms, median_ms) {
        promised += &format!(", {limit} ms in the median ({median:.1} ms)");
    }
    promised
}

fn bold(text: &str) -> Cell {
    Cell::new(text).add_attribute(Attribute::Bold)
}
